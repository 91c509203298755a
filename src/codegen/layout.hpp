// SPDX-License-Identifier: Apache-2.0
// The bundles of a function in their order, and the waits between regions that were scheduled apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codegen/timing.hpp"

namespace npurt::codegen {

/// An instruction with its registers.
struct placed {
  int cycle = 0;  ///< bundle, counted from the start of its region or of the function
  isa::decoded_instruction insn;
  std::string label;  ///< in place of its immediate, if not empty
  std::string note;
  ordering order = ordering::none;
  alias_set alias = 0;
  std::uint8_t banks = 0;
};

/// Whether `second` may issue `distance` bundles after `first` and still read what it should, last write what it
/// should, and share no unit with it.
bool may_follow(const placed& first, const placed& second, int distance);

/// A row of bundles and where labels stand in it.
class code_layout {
 public:
  /// Code that is reached from the bundle before, if that `falls_through`, and by the branches to `label`.
  /// @param length      bundles of the code
  /// @param loop_start,loop_end  bundles of it that the loop hardware repeats, end past the last; equal if none
  void append(std::vector<placed> code, int length, const std::string& label, bool falls_through, int loop_start = 0,
              int loop_end = 0);

  /// Notes that the code so far, with its last bundle, may go on at a label further on.
  void branches_to(const std::string& label);
  /// Bundles to wait before code that ends with `last` may go back to a label behind.
  int wait_before_return(const std::string& label, const std::vector<placed>& last, int length) const;

  void set_label(const std::string& label, int bundle) { labels_[label] = bundle; }
  int end() const { return end_; }
  /// Bundles between the last write of ls, le or lc and bundle `at`.
  int distance_to_loop_setup(int at) const;
  void wait(int bundles) { end_ += bundles; }

  /// Assembly text, a bundle a line.
  std::string text(const std::string& name) const;
  const std::vector<placed>& code() const { return code_; }

 private:
  using tail = std::vector<placed>;  ///< cycles below 0, -1 the last bundle
  tail last_bundles() const;
  static int wait_between(const tail& before, const std::vector<placed>& after);

  std::vector<placed> code_;
  int end_ = 0;
  std::map<std::string, int> labels_;
  std::map<std::string, std::vector<tail>> arrivals_;
  tail repeated_;  ///< what earlier passes of the loop that just ended may have left in the pipeline
  int repeated_end_ = 0;
};

}  // namespace npurt::codegen
