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

  sequence_tensor input(std::string name, std::size_t rows, std::size_t columns, sequence_element element);
  sequence_tensor samples(std::string name, std::size_t count);

  /// @throws sequence_error if the tensor is another sequence's, or is only columns of one
  operand whole(const sequence_tensor& given) const;
  /// @throws sequence_error if the tensor is another sequence's, or no matrix
  operand part(const sequence_tensor& given) const;
  /// @throws sequence_error if they are not what samples() made
  operand samples_of(const sequence_tensor& given) const;

  /// Records an operation with that result.
  /// @param make returns the step for it
  template <typename Make>
  sequence_tensor add(const tensor& result, Make&& make) {
    tensors_.push_back(result);
    try {
      keep(make(operand{tensors_.size() - 1, result.rows, 0, result.columns, result.element}));
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
  operand owned(const sequence_tensor& given) const;
  void check_whole(const operand& all) const;
  void check_name(const std::string& name) const;
  sequence_tensor handle(std::size_t index) const;

  std::uint64_t identity_;
  tensors tensors_;
  std::vector<std::unique_ptr<step>> steps_;
  std::vector<sequence_step> described_;
};

}  // namespace npurt::detail::sequences
