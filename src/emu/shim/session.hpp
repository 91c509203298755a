// SPDX-License-Identifier: Apache-2.0
// The interposer's state in this process: device model, file tree, and the descriptors that are the device.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "emu/shim/device_model.hpp"

namespace npurt::emu::shim {

// Everything is made at its first use: the first interposed call comes from a static constructor of another library,
// before this one's own would have run. What a forked child inherits is forgotten there: its threads are gone, so the
// parent's device cannot work in it; the child may open a device of its own.

/// The path to use in place of `path`, nothing for a path outside the tree. Cheap for paths that are not watched.
std::optional<std::string> redirected(const char* path);

/// The path that a resolved path of the tree stands for.
std::optional<std::string> restored(const char* resolved);

/// True if `path` names the device node.
bool is_device_node(const char* path);

/// Opens the device; `flags` as for open(2). Sets errno.
/// @return a descriptor (of a memfd, so that dup, fork and close are the kernel's), or -1
int open_device(int flags);

/// The device file behind a descriptor; null for every other descriptor.
std::shared_ptr<device_file> find_device(int fd);

/// `copy` refers to the same file as `fd` from now on (dup); nothing happens if `fd` is not a device.
void share_device(int fd, int copy);

/// `fd` is about to be closed. The returned file ends with the last descriptor that refers to it.
std::shared_ptr<device_file> forget_device(int fd);

}  // namespace npurt::emu::shim
