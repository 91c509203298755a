// SPDX-License-Identifier: Apache-2.0
// mel in a sequence: the host scales the samples when they are written, and finishes the result when it is read.
#include <fmt/format.h>

#include "runtime/ops/mel_operands.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

class mel : public step {
 public:
  mel(const operand& samples, std::size_t tables, const operand& result)
      : samples_(samples), tables_(tables), result_(result) {}

  sequence_step describe() const override {
    return {.name = fmt::format("mel {}", samples_.columns), .macs = 0, .bytes = samples_.bytes() + result_.bytes()};
  }

  std::vector<argument> arguments() const override { return {samples_.tensor, tables_, result_.tensor}; }
  bool shape(tensors&) const override { return false; }
  std::size_t rows_written(const tensors&) const override { return result_.rows; }

  overlay::recipe write(const tensors&) const override {
    overlay::recipe made = mel_recipe(samples_.columns);
    made.buffer_bytes.clear();
    return made;
  }

 private:
  operand samples_;
  std::size_t tables_;
  operand result_;
};

}  // namespace

std::unique_ptr<step> mel_step(const operand& samples, std::size_t tables, const operand& result) {
  return std::make_unique<mel>(samples, tables, result);
}

}  // namespace npurt::detail::sequences
