// SPDX-License-Identifier: Apache-2.0
// Reads faults from text.
#include "emu/driver/fault_plan.hpp"

#include <drm/amdxdna_accel.h>
#include <drm/drm.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <format>
#include <limits>
#include <utility>

namespace npurt::emu::driver {
namespace {

struct numbered {
  unsigned number;
  std::string_view name;
};

constexpr numbered ioctl_names[] = {{_IOC_NR(DRM_IOCTL_AMDXDNA_CREATE_HWCTX), "create_hwctx"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_DESTROY_HWCTX), "destroy_hwctx"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX), "config_hwctx"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_CREATE_BO), "create_bo"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_GET_BO_INFO), "get_bo_info"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_SYNC_BO), "sync_bo"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_EXEC_CMD), "exec_cmd"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_WAIT_CMD), "wait_cmd"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_GET_INFO), "get_info"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_SET_STATE), "set_state"},
                                    {_IOC_NR(DRM_IOCTL_AMDXDNA_GET_ARRAY), "get_array"},
                                    {_IOC_NR(DRM_IOCTL_GEM_CLOSE), "gem_close"},
                                    {_IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD), "prime_handle_to_fd"},
                                    {_IOC_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE), "prime_fd_to_handle"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_CREATE), "syncobj_create"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_DESTROY), "syncobj_destroy"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD), "syncobj_handle_to_fd"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE), "syncobj_fd_to_handle"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT), "syncobj_timeline_wait"},
                                    {_IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL), "syncobj_timeline_signal"}};

constexpr std::pair<std::string_view, int> errno_names[] = {
    {"EPERM", EPERM},   {"ENOENT", ENOENT},       {"EINTR", EINTR},         {"EIO", EIO},
    {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM},       {"EACCES", EACCES},       {"EFAULT", EFAULT},
    {"EBUSY", EBUSY},   {"ENODEV", ENODEV},       {"EINVAL", EINVAL},       {"EMFILE", EMFILE},
    {"ENOSPC", ENOSPC}, {"ENOTTY", ENOTTY},       {"ETIME", ETIME},         {"EPROTO", EPROTO},
    {"ENOSYS", ENOSYS}, {"ECANCELED", ECANCELED}, {"ETIMEDOUT", ETIMEDOUT}, {"EOPNOTSUPP", EOPNOTSUPP}};

constexpr std::pair<std::string_view, command_fault> command_faults[] = {{"error", command_fault::error},
                                                                         {"timeout", command_fault::timeout},
                                                                         {"abort", command_fault::abort},
                                                                         {"lost", command_fault::lost},
                                                                         {"dma_error", command_fault::dma_error}};

/// Thrown within this file only; parse() answers with its text.
struct unreadable {
  std::string why;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw unreadable{std::format("'{}' is no number", text)};
  return value;
}

std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  const auto where = text.find(at);
  if (where == std::string_view::npos) return {text, {}};
  return {text.substr(0, where), text.substr(where + 1)};
}

occurrence read_occurrence(std::string_view text) {
  occurrence when;
  if (text.ends_with('+')) {
    when = {number(text.substr(0, text.size() - 1)), std::numeric_limits<std::uint64_t>::max()};
  } else {
    const auto [first, last] = cut(text, '-');
    when.first = number(first);
    when.last = text.contains('-') ? number(last) : when.first;
  }
  if (when.first == 0 || when.last < when.first) throw unreadable{std::format("'{}' names no occurrence", text)};
  return when;
}

int read_errno(std::string_view text) {
  const auto* found = std::ranges::find(errno_names, text, &std::pair<std::string_view, int>::first);
  if (found != std::end(errno_names)) return found->second;
  const std::uint64_t value = number(text);
  constexpr std::uint64_t most = 4095;  // the kernel's MAX_ERRNO
  if (value == 0 || value > most) throw unreadable{std::format("'{}' is no errno", text)};
  return static_cast<int>(value);
}

std::uint64_t read_size(std::string_view text) {
  constexpr std::string_view suffixes = "KMG";
  const auto suffix = text.empty() ? std::string_view::npos : suffixes.find(text.back());
  if (suffix == std::string_view::npos) return number(text);
  const std::uint64_t value = number(text.substr(0, text.size() - 1));
  const auto shift = 10 * (suffix + 1);
  if (value > std::numeric_limits<std::uint64_t>::max() >> shift)
    throw unreadable{std::format("'{}' is too large", text)};
  return value << shift;
}

firmware_version read_version(std::string_view text) {
  firmware_version version{};
  if (std::ranges::count(text, '.') != std::ssize(version) - 1) throw unreadable{"a firmware version has four numbers"};
  for (auto& part : version) {
    const auto [first, rest] = cut(text, '.');
    const std::uint64_t value = number(first);
    if (value > std::numeric_limits<std::uint32_t>::max()) throw unreadable{std::format("'{}' is too large", first)};
    part = static_cast<std::uint32_t>(value);
    text = rest;
  }
  return version;
}

ioctl_fault read_ioctl(std::string_view name, std::string_view when, std::string_view value) {
  if (name != "any" && !std::ranges::contains(ioctl_names, name, &numbered::name))
    throw unreadable{std::format("there is no ioctl '{}'", name)};
  return {std::string(name), read_occurrence(when), read_errno(value)};
}

command_fault_rule read_command(std::string_view when, std::string_view value) {
  const auto* found = std::ranges::find(command_faults, value, &std::pair<std::string_view, command_fault>::first);
  if (found == std::end(command_faults)) throw unreadable{std::format("a command cannot be '{}'", value)};
  return {read_occurrence(when), found->second};
}

device_fault read_device(std::string_view when, std::string_view value) {
  const auto [what, opens] = cut(value, ':');
  device_fault fault{.at_ioctl = number(when)};
  if (fault.at_ioctl == 0) throw unreadable{"ioctls are counted from 1"};
  if (what == "gone") {
    fault.what = device_event::gone;
    if (value.contains(':')) fault.opens = number(opens);
  } else if (value == "restart") {
    fault.what = device_event::gone;
    fault.opens = 0;
  } else if (value == "reset") {
    fault.what = device_event::reset;
  } else if (value == "suspend") {
    fault.what = device_event::suspend;
  } else {
    throw unreadable{std::format("a device cannot be '{}'", value)};
  }
  return fault;
}

void read_fault(fault_plan& plan, std::string_view text) {
  const auto [key, value] = cut(text, '=');
  const auto [what, when] = cut(key, '@');
  if (what.starts_with("ioctl:")) {
    plan.ioctls.push_back(read_ioctl(what.substr(6), when, value));
  } else if (what == "command") {
    plan.commands.push_back(read_command(when, value));
  } else if (what == "device") {
    plan.device = read_device(when, value);
  } else if (key == "memory") {
    plan.memory = read_size(value);
  } else if (key == "firmware" && value == "old") {
    plan.firmware_too_old = true;
  } else if (key == "firmware") {
    plan.firmware = read_version(value);
  } else {
    throw unreadable{"it is none of ioctl:NAME@WHEN=, command@WHEN=, memory=, device@N=, firmware="};
  }
}

}  // namespace

std::expected<fault_plan, std::string> fault_plan::parse(std::string_view text) {
  fault_plan plan;
  while (!text.empty()) {
    const auto [fault, rest] = cut(text, ';');
    text = rest;
    if (fault.empty()) continue;
    try {
      read_fault(plan, fault);
    } catch (const unreadable& error) {
      return std::unexpected(std::format("fault '{}': {}", fault, error.why));
    }
  }
  return plan;
}

std::string_view ioctl_name(unsigned number) {
  const auto* found = std::ranges::find(ioctl_names, number, &numbered::number);
  return found == std::end(ioctl_names) ? std::string_view() : found->name;
}

}  // namespace npurt::emu::driver
