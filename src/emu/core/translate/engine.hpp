// SPDX-License-Identifier: Apache-2.0
// Runs a machine by translated code where there is any, and by the machine itself elsewhere.
#pragma once

#include <memory>
#include <vector>

#include "emu/core/pipeline.hpp"
#include "emu/core/translate/context.hpp"
#include "emu/core/translate/translator.hpp"

namespace npurt::emu::translate {

class fast_engine {
 public:
  /// @param threshold how often a loop runs before it is translated
  fast_engine(machine& core, unsigned threshold);

  /// As core::run of an enabled core.
  std::uint64_t run(std::uint64_t cycles);
  /// Hands over to the machine: its state is complete, and may be changed.
  void release();
  /// Forgets what was translated, for program memory changes. The machine must have been handed over.
  void forget();
  /// The machine was reset: what was in flight is gone.
  void drop() { at_ = nullptr; }

 private:
  void interpret();
  void prepare();
  bool is_hot(std::uint32_t from);
  void try_to_enter(bool may_translate);
  bool pass_gates();
  void execute(std::uint64_t budget);
  void account(std::uint64_t start, std::uint64_t completed);
  void handle(const exit_point& exit);
  void redo();
  void follow(edge& e);
  void give_back();

  std::vector<flying> collect() const;
  void move_frames(const std::vector<flying>& from, const std::vector<flying>& to);
  void prime(const flying& f);
  void plan_rest(const flying& f);

  machine* core_;
  unsigned threshold_;
  context context_;
  std::unique_ptr<translator> translator_;  ///< made when something is hot
  position* at_ = nullptr;                  ///< where translated code goes on; nullptr: the machine is in charge
  std::vector<std::uint16_t> heat_;
};

}  // namespace npurt::emu::translate
