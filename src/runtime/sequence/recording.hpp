// SPDX-License-Identifier: Apache-2.0
// A sequence while it is recorded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "npurt/sequence.hpp"
#include "runtime/sequence/program.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

class recording {
 public:
  recording();

  sequence_tensor input(std::string name, std::size_t rows, std::size_t columns);

  /// @throws sequence_error if the tensor is another sequence's, or is only columns of one
  operand whole(const sequence_tensor& given) const;
  /// @throws sequence_error if the tensor is another sequence's
  operand part(const sequence_tensor& given) const;

  /// Records an operation whose result has those extents.
  /// @param make returns the step for that result
  template <typename Make>
  sequence_tensor add(std::size_t rows, std::size_t columns, Make&& make) {
    tensors_.push_back({.rows = rows, .columns = columns});
    try {
      keep(make(operand{tensors_.size() - 1, rows, 0, columns}));
    } catch (...) {
      tensors_.pop_back();
      throw;
    }
    return handle(tensors_.size() - 1);
  }

  void output(std::string name, const sequence_tensor& result);

  const std::vector<sequence_step>& steps() const { return described_; }

  /// Lays out the tensors and writes the control code.
  std::shared_ptr<const program> compile() const;

 private:
  void keep(std::unique_ptr<step> made);
  void check_name(const std::string& name) const;
  sequence_tensor handle(std::size_t index) const;

  std::uint64_t identity_;
  tensors tensors_;
  std::vector<std::unique_ptr<step>> steps_;
  std::vector<sequence_step> described_;
};

}  // namespace npurt::detail::sequences
