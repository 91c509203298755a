// SPDX-License-Identifier: Apache-2.0
// A command that ends before its control code does, and the notes of what it did; neither its time nor its words are
// its program's to choose without bound.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "emu/array/array.hpp"
#include "emu/firmware/firmware_error.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu {

/// Not the firmware's or the array's error: the command is cancelled, or its time is over.
struct command_end : firmware_error {
  command_end(command_outcome how, const std::string& why) : firmware_error(why), outcome(how) {}
  command_outcome outcome;
};

/// Array cycles between looks at whether a command is cancelled: a fraction of a second of the host's time.
inline constexpr std::uint64_t cancel_interval = 100'000;

/// @throws command_end if the command is cancelled
inline void check(const std::atomic<bool>* cancelled) {
  if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed))
    throw command_end(command_outcome::aborted, "the command is cancelled");
}

/// Lets the array run for so many cycles, whatever it does. @throws command_end if the command is cancelled meanwhile
inline void let_pass(array& target, std::uint64_t cycles, const std::atomic<bool>* cancelled) {
  for (; cycles > cancel_interval; cycles -= cancel_interval) {
    check(cancelled);
    target.run(target.now() + cancel_interval, false, false);
  }
  check(cancelled);
  target.run(target.now() + cycles, false, false);
}

inline constexpr std::size_t most_notes = 32;  ///< of a command
inline constexpr std::size_t longest_note = 400;

/// Adds what was not noted before.
inline void add_note(std::vector<std::string>& notes, std::string text) {
  if (notes.size() > most_notes) return;
  if (text.size() > longest_note) text.replace(longest_note, std::string::npos, "...");
  if (notes.size() == most_notes) text = "further notes of this command are left out";
  if (std::ranges::find(notes, text) == notes.end()) notes.push_back(std::move(text));
}

}  // namespace npurt::emu
