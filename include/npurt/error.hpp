// SPDX-License-Identifier: Apache-2.0
// What npurt throws: one type per cause, all derived from npurt::error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace npurt {

/// Base of everything that npurt throws. what() is a sentence for the person in front of the screen; where the cause
/// lies below npurt, XRT's own text stands in it. Errors are values: threads may read one at once.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// There is no NPU, or none with the index asked for.
class no_device_error : public error {
 public:
  using error::error;
};

/// The device is there, but it or its driver refuses what was asked of it.
class device_error : public error {
 public:
  using error::error;
};

/// A file is missing or cannot be read.
class file_error : public error {
 public:
  using error::error;
};

/// An XCLBIN is truncated, inconsistent, or not an XCLBIN at all.
class xclbin_error : public error {
 public:
  using error::error;
};

/// The XCLBIN holds no kernel of that name; what() lists those that it holds.
class kernel_not_found_error : public error {
 public:
  using error::error;
};

/// The XCLBIN is for another generation or a larger array than the device's.
class architecture_error : public error {
 public:
  using error::error;
};

/// The device has no room for another hw_context, and got none within the time of its context_budget. what() names who
/// holds what.
class context_limit_error : public error {
 public:
  using error::error;
};

/// A buffer cannot be allocated, mapped or synchronised, or is not one that a kernel takes.
class buffer_error : public error {
 public:
  using error::error;
};

/// Memory does not begin or end where the device can use it.
class alignment_error : public buffer_error {
 public:
  alignment_error(std::size_t required, const std::string& text) : buffer_error(text), required_(required) {}

  /// What its address and size must be multiples of, in bytes.
  std::size_t required() const noexcept { return required_; }

 private:
  std::size_t required_;
};

/// An extent of a tensor is not what the call requires.
class shape_error : public error {
 public:
  shape_error(std::string dimension, const std::string& text) : error(text), dimension_(std::move(dimension)) {}

  /// The offending dimension by the letter or the name that the call's documentation uses, e.g. "K".
  const std::string& dimension() const noexcept { return dimension_; }

 private:
  std::string dimension_;
};

/// A number that a call was given, an option or an element, is none that it can work with.
class value_error : public error {
 public:
  using error::error;
};

/// State of a command. The values are those of XRT's ert_cmd_state.
enum class command_state : std::uint32_t {
  created = 1,
  queued = 2,
  running = 3,
  completed = 4,
  error = 5,
  aborted = 6,
  submitted = 7,
  timed_out = 8,
  no_response = 9,
};

/// A state in words, e.g. "aborted (ERT_CMD_STATE_ABORT)".
std::string describe(command_state state);

/// A command ended in a state other than completed.
class command_error : public error {
 public:
  command_error(command_state state, const std::string& text) : error(text), state_(state) {}

  command_state state() const noexcept { return state_; }

 private:
  command_state state_;
};

/// A command had not ended when the caller's deadline passed. It may still be running.
class timeout_error : public error {
 public:
  timeout_error(std::chrono::milliseconds deadline, const std::string& text) : error(text), deadline_(deadline) {}

  std::chrono::milliseconds deadline() const noexcept { return deadline_; }

 private:
  std::chrono::milliseconds deadline_;
};

/// An object was used after it had been moved from.
class moved_from_error : public error {
 public:
  explicit moved_from_error(std::string_view type)
      : error("npurt::" + std::string(type) + " was used after it had been moved from") {}
};

}  // namespace npurt
