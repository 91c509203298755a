// SPDX-License-Identifier: Apache-2.0
// What the interposer needs from the model of a device: a file tree, open, ioctl, mmap, close.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace npurt::emu::shim {

/// What to map in place of the device: a range of an ordinary file.
struct mapping {
  int fd = -1;
  std::uint64_t offset = 0;
  std::shared_ptr<const void> keeps = {};  ///< keeps the descriptor open
};

/// One open file of the device (the kernel's drm_file). Destroying it is its last close. Thread-safe.
class device_file {
 public:
  virtual ~device_file() = default;

  /// @return 0, or a negative errno
  virtual int ioctl(unsigned long request, void* argument) = 0;

  /// The memory behind [offset, offset + length) of the device file.
  /// @return an errno if there is none
  virtual std::expected<mapping, int> map(std::uint64_t offset, std::size_t length) = 0;

  /// Told after the memory behind `offset` was mapped at `address`.
  virtual void mapped(std::uint64_t offset, void* address, std::size_t length) = 0;
};

/// The files that stand in for /sys and /dev.
struct virtual_tree {
  struct file {
    std::string path;
    std::string contents;
  };
  struct link {
    std::string path;
    std::string target;  ///< relative, so that it also leads to the right place below the tree's directory
  };

  std::vector<std::string> roots;        ///< replaced as a whole: what the machine has there is hidden
  std::vector<std::string> directories;  ///< those that no file or link implies
  std::vector<file> files;
  std::vector<link> links;
  std::string node;  ///< path of the device node
};

/// A kind of device. Constructed at the first access to a path of the tree, so construction is cheap.
class device_model {
 public:
  virtual ~device_model() = default;
  virtual const virtual_tree& tree() const = 0;

  /// @return an errno if the device cannot be opened. Thread-safe.
  virtual std::expected<std::unique_ptr<device_file>, int> open() = 0;

  /// The process ends: nothing may run on the device after this returns. The model is not destroyed.
  virtual void shut_down() = 0;
};

/// Paths below these are looked at by the interposer at all. Constant, so that other paths cost a string comparison.
inline constexpr const char* watched_prefixes[] = {"/sys/", "/dev/"};

/// The device that is emulated; defined by the driver the interposer is linked with.
std::unique_ptr<device_model> make_device_model();

}  // namespace npurt::emu::shim
