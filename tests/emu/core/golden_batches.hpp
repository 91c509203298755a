// SPDX-License-Identifier: Apache-2.0
// The recorded results of golden/isa and golden/vec, and their programs run on a core: for the tests and the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace npurt::test {

/// How far a recorded point may be compared (golden/README.md).
enum class standing {
  exact,            ///< no flag
  rewritten_later,  ///< real, but may rest on state that earlier programs left
  not_compared,
};

struct golden_point {
  std::string name;  ///< of the instruction's row
  std::vector<std::string> lines;
  std::size_t out_offset = 0;
  std::vector<std::byte> expected;
  standing kind = standing::exact;
};

struct golden_batch {
  std::string name;
  std::vector<std::byte> input;
  std::vector<std::string> prologue;
  std::vector<golden_point> points;
  std::map<std::string, std::vector<std::byte>> inherited;  ///< registers at the start; the others are zero
};

/// The batches in the order of their names. @throws std::exception if a file cannot be read
std::vector<golden_batch> read_batches(const std::filesystem::path& golden);

enum class verdict { equal, different, refused };

struct point_result {
  verdict what = verdict::equal;
  std::string cause;  ///< of a refusal
};

/// Runs the batch and compares its points; one that the core refuses is taken out and the batch run again.
/// @throws std::runtime_error if the program does not end
std::vector<point_result> run_batch(const golden_batch& batch);

/// Points whose value rests on something that no row records, so that no core can answer them.
bool rests_on_unrecorded_state(const golden_batch& batch, std::size_t point);

/// A register of r27, r31 and the accumulators that a point reads and that holds what no line of its program has put
/// there, or nothing. We run from zeros; on the NPU it held what an earlier program, which we do not have, left.
std::string inherited_register(const golden_batch& batch, std::size_t point);

/// One operation of golden/vec: inputs, expected bytes and what our core answers.
struct vector_result {
  std::string name;
  bool equal = false;
};

/// Runs every operation of golden/vec. @throws std::runtime_error on an operation that no program here computes
std::vector<vector_result> run_vector_operations(const std::filesystem::path& golden);

}  // namespace npurt::test
