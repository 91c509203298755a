// SPDX-License-Identifier: Apache-2.0
// How an operation of the overlay takes and gives the chunks of its streams.
#pragma once

#include <array>
#include <string>

#include "codegen/operations.hpp"
#include "overlay/core_memory.hpp"

namespace npurt::kernels::overlay {

/// One of A, B and out: two buffers in turn. Where the next chunk lies is a word of the state, from call to call.
class chunk_stream {
 public:
  static chunk_stream a(codegen::kernel& k) { return {k, "A", 0, core_lock(a_free + 1), core_lock(a_free), a_offsets}; }
  static chunk_stream b(codegen::kernel& k) { return {k, "B", 1, core_lock(b_free + 1), core_lock(b_free), b_offsets}; }
  static chunk_stream out(codegen::kernel& k) {
    return {k, "out", 2, core_lock(out_free), core_lock(out_free + 1), out_offsets};
  }

  /// Waits for the next chunk (out: for a free buffer) and points at its `area`.
  codegen::pointer take(const codegen::memory_area& area) {
    wait();
    return at(area);
  }
  void wait() { kernel_->acquire(takes_, -1); }
  /// Where the next chunk lies, or the one that was taken and not given back.
  const codegen::scalar& address() const { return next_; }
  codegen::pointer at(const codegen::memory_area& area) { return next_.owner->pointer_from(name_, next_, area); }
  /// Gives back the chunk that was taken (out: sends it).
  void give() {
    kernel_->release(gives_, 1);
    next_ = codegen::bit_xor(next_, kernel_->constant(flip_));
  }
  /// At the operation's end: the state for the next one.
  void finish() {
    auto state = state_pointer();
    codegen::store(state, static_cast<const codegen::scalar&>(next_), codegen::at(0));
  }

 private:
  chunk_stream(codegen::kernel& k, std::string name, std::uint32_t word, unsigned takes, unsigned gives,
               const std::uint32_t (&offsets)[2])
      : kernel_(&k),
        name_(std::move(name)),
        word_(word),
        takes_(takes),
        gives_(gives),
        flip_(static_cast<std::int32_t>(offsets[0] ^ offsets[1])),
        next_(load_next()) {}

  static constexpr unsigned core_lock(unsigned lock) { return 48 + lock; }

  codegen::pointer state_pointer() {
    return kernel_->pointer_to("state of " + name_, data_memory + state_offset + 4 * word_);
  }
  codegen::variable<codegen::scalar> load_next() {
    auto state = state_pointer();
    return kernel_->make_variable("next " + name_, codegen::load_i32(state, codegen::at(0)));
  }

  codegen::kernel* kernel_;
  std::string name_;
  std::uint32_t word_;
  unsigned takes_, gives_;
  std::int32_t flip_;
  codegen::variable<codegen::scalar> next_;
};

}  // namespace npurt::kernels::overlay
