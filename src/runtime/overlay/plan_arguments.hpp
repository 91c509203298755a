// SPDX-License-Identifier: Apache-2.0
// What a plan's control code works on: the plan's own buffers, or the caller's where they lie as those do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "npurt/buffer.hpp"
#include "npurt/run.hpp"
#include "runtime/operand_memory.hpp"

namespace npurt::detail::overlay {

/// Not thread-safe: the plan's lock guards it.
class plan_arguments {
 public:
  /// Own buffers of so many bytes, all zeros.
  /// @param operands those of the device
  /// @throws buffer_error
  plan_arguments(const kernel& target, const std::vector<std::size_t>& sizes,
                 std::shared_ptr<const operand_memory> operands);

  /// Other buffers with the same contents.
  /// @throws buffer_error
  plan_arguments renewed(const kernel& target) const;

  std::size_t count() const { return slots_.size(); }
  std::size_t size_bytes() const;
  std::vector<xrt::bo> own() const;
  std::byte* data(std::size_t argument) const { return slots_[argument].own.data(); }
  bool in_place(std::size_t argument) const { return !slots_[argument].used.empty(); }

  /// A call begins: it uses its own buffers unless it is told otherwise.
  void begin();

  /// The call reads `operand`, or writes `result`, which lies as the own buffer does up to its padding.
  /// @return false if it is in no buffer of the device, or cannot be used there: the caller copies
  /// @throws buffer_error
  bool read(std::size_t argument, std::span<const std::byte> operand);
  bool write(std::size_t argument, std::span<const std::byte> result);

  /// Gives a command that is not in flight what the call uses.
  /// @throws buffer_error
  void bind(run& command) const;

  /// Forgets the caller's buffer of that number.
  /// @return whether it was used; commands that it is bound to still have it
  bool forget(std::uint64_t number);

  /// @throws buffer_error
  void sync(std::size_t argument, bool to_device);

 private:
  struct slot {
    buffer<std::byte> own;
    xrt::bo
        foreign{};  ///< the caller's of number `number` from byte `offset` on, which was used last; unless that is 0
    std::uint64_t number = 0;
    std::size_t offset = 0;
    std::span<const std::byte> used{};  ///< by this call, of it
  };

  explicit plan_arguments(std::shared_ptr<const operand_memory> operands) : operands_(std::move(operands)) {}

  void use(std::size_t argument, const operand_memory::entry& of, std::span<const std::byte> bytes);

  std::shared_ptr<const operand_memory> operands_;
  std::vector<slot> slots_;
};

}  // namespace npurt::detail::overlay
