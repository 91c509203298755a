// SPDX-License-Identifier: Apache-2.0
// What the doctor looks at: files, rights, limits and the driver's answers; this machine's, or those of a test.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace npurt::doctor {

struct file_status {
  unsigned mode = 0;  ///< permission bits
  unsigned group = 0;
  std::string group_name;  ///< empty if the number has no name here
};

struct identity {
  std::string user;
  bool root = false;
  bool may_lock = false;               ///< CAP_IPC_LOCK: no limit on locked memory
  std::vector<std::string> groups;     ///< of this process
  std::vector<std::string> member_of;  ///< of the user, after the next login
};

/// A hardware context of some process.
struct held_context {
  std::int64_t pid = 0;
  std::uint32_t columns = 0;
  std::uint64_t submitted = 0, completed = 0;
};

struct driver_answers {
  std::string problem;  ///< why the driver did not answer; empty if it did
  std::array<std::uint32_t, 4> firmware{};
  std::optional<unsigned> power_mode;  ///< enum amdxdna_power_mode_type
  std::optional<unsigned> clock_mhz;   ///< of the array
  std::optional<unsigned> most_contexts;
  std::vector<held_context> contexts;
};

/// A null limit is none.
inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};

class machine {
 public:
  virtual ~machine() = default;

  /// At most 64 KB of a text file; nothing if it cannot be read.
  virtual std::optional<std::string> read(const std::string& path) const = 0;
  virtual bool exists(const std::string& path) const = 0;
  /// Names in a folder, sorted; none if there is no such folder.
  virtual std::vector<std::string> list(const std::string& path) const = 0;
  /// Where links lead in the end; the path itself for what is no link.
  virtual std::string resolve(const std::string& path) const = 0;
  virtual std::optional<file_status> status(const std::string& path) const = 0;
  /// errno of opening for reading and writing, 0 if it works.
  virtual int open_error(const std::string& path) const = 0;
  virtual driver_answers ask(const std::string& node) const = 0;
  virtual identity who() const = 0;
  virtual std::uint64_t memlock_limit() const = 0;                     ///< bytes, or `unlimited`
  virtual std::string environment(const std::string& name) const = 0;  ///< empty if it is not set
  virtual std::string kernel_release() const = 0;
  /// The folder above bin/ of this program.
  virtual std::string prefix() const = 0;
  /// Whether npurt's emulated NPU stands in front of the driver.
  virtual bool emulated() const = 0;
};

/// This one.
std::unique_ptr<machine> this_machine();

/// GET_INFO and GET_ARRAY queries on a device node.
driver_answers ask_driver(const std::string& node);

}  // namespace npurt::doctor
