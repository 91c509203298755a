// SPDX-License-Identifier: Apache-2.0
// copy, gelu, silu, relu, scale and gelu of bytes: chunks from A and B in turn, each to results in C, and from there to
// out.
#include <vector>

#include "elementwise/elementwise.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace elementwise;

namespace {

constexpr std::int32_t a_flip = overlay::a_offsets[0] ^ overlay::a_offsets[1],
                       b_flip = overlay::b_offsets[0] ^ overlay::b_offsets[1];
constexpr std::int32_t core_locks = 48;
constexpr unsigned nearest_even = 12;

/// A and B in turn: what is said of this stream and the other changes places with each turn.
class input_streams {
 public:
  input_streams(kernel& k, pointer& state)
      : k_(&k),
        current_(k.make_variable("next of this stream", load_i32(state, at(0)))),
        other_(k.make_variable("next of the other", load_i32(state, at(4)))),
        flip_(k.make_variable("its buffers' difference", number(k, a_flip))),
        full_(k.make_variable("its lock", number(k, core_locks + overlay::a_free + 1))) {}

  const scalar& take() {
    acquire(full_, -1);
    return current_;
  }
  /// A chunk of B before all pairs, which `use` reads.
  template <typename Use>
  void take_from_b(const Use& use_chunk) {
    k_->acquire(core_locks + overlay::b_free + 1, -1);
    use_chunk(static_cast<const scalar&>(other_));
    k_->release(core_locks + overlay::b_free, 1);
    other_ = bit_xor(other_, number(*k_, b_flip));
  }
  void give_and_turn() {
    release(sub(full_, number(*k_, 1)), 1);
    const scalar next = bit_xor(current_, flip_);
    current_ = other_;
    other_ = next;
    flip_ = bit_xor(flip_, number(*k_, a_flip ^ b_flip));
    full_ = bit_xor(full_, number(*k_, (overlay::a_free + 1) ^ (overlay::b_free + 1)));
  }
  /// After an even number of turns.
  void finish(pointer& state) {
    store(state, static_cast<const scalar&>(current_), at(0));
    store(state, static_cast<const scalar&>(other_), at(4));
  }

 private:
  kernel* k_;
  variable<scalar> current_, other_, flip_, full_;
};

/// 8 KB as two chunks, written long before. What comes next is read ahead, at the end the start again.
void send(kernel& k, const scalar& from, out_stream& out) {
  constexpr unsigned block = 256;
  auto source = k.pointer_from("results", from, k.memory("results"));
  const auto round = k.make_stride("results' round", block, overlay::chunk_bytes / block,
                                   static_cast<std::int32_t>(block) - static_cast<std::int32_t>(overlay::chunk_bytes));
  const auto next = [&](unsigned i) {
    return load<std::int16_t, 32>(source, i == 0 ? post(round) : at(static_cast<std::int32_t>(64 * i)));
  };
  std::vector<variable<words>> moved;
  for (unsigned i = block / 64; i-- > 0;) {  // the one that moves the pointer on last
    moved.push_back(k.make_variable("moved", next(i)));
  }
  out.send_halves([&](pointer to) {
    k.loop("256 bytes", overlay::out_bytes / block, [&] {
      for (unsigned i = 0; i < block / 64; ++i) {
        store(to, static_cast<const words&>(moved[block / 64 - 1 - i]), post(64));
      }
      for (unsigned i = block / 64; i-- > 0;) {
        moved[block / 64 - 1 - i] = next(i);
      }
    });
  });
}

}  // namespace

void elementwise::add_relu(kernel& k, const input& from) {
  auto x = k.pointer_from("x", from.chunk, from.memory);
  auto y = k.pointer_to("y", results_at, k.memory("y", {2}));
  const auto zero = broadcast<std::int16_t, 32>(number(k, 0));
  const auto bound = broadcast<std::int16_t, 32>(number(k, first_negative_nan));
  k.loop("relu", vectors, [&] {
    const auto v = load<std::int16_t, 32>(x, post(64));
    store(y, select(v, zero, lt(v, bound)), post(64));
  });
}

compiled_function op_elementwise(const compile_options&) {
  kernel k("op_elementwise");
  const auto words_area = k.memory("parameters and state", {1});
  const auto in = k.memory("chunk", {0, 1, 3});
  auto parameters = k.argument_pointer("parameters", words_area);
  auto state = k.pointer_to("state", overlay::data_memory + overlay::state_offset, words_area);
  const auto op = load_i32(parameters, at(0)), pairs = load_i32(parameters, at(4));
  k.set_rounding(nearest_even);
  k.set_saturation(0);
  input_streams streams(k, state);
  out_stream out(k, state);

  const auto is = [&](std::int32_t n) { return eq(op, number(k, n)); };
  k.when("table", is(gelu_i8), [&] {
    streams.take_from_b([&](const scalar& address) { spread_table(k, k.pointer_from("table", address, in)); });
  });
  k.loop("chunk", add(pairs, pairs), [&] {
    const scalar& at_chunk = streams.take();
    auto results = k.make_variable("results' address", number(k, results_at));
    input from{k.pointer_from("chunk", at_chunk, in),
               k.make_stride("round and round", 64, vectors, 64 - static_cast<std::int32_t>(overlay::chunk_bytes)), in};
    k.when("copy", is(copy), [&] { results = at_chunk; });
    k.when("relu", is(relu), [&] { add_relu(k, from); });
    k.when("scale", is(scale), [&] { add_scale(k, load_i32(parameters, at(8)), from); });
    k.when("gelu", bit_or(is(gelu), is(silu)), [&] { add_sigmoid_weighted(k, op, from); });
    k.when("gelu of bytes", is(gelu_i8), [&] { add_lookup(k, from, out); });
    k.when("results", bit_xor(op, number(k, gelu_i8)), [&] { send(k, results, out); });
    streams.give_and_turn();
  });
  streams.finish(state);
  out.finish(state);
  // Loops that need it are written as pipelines, with one copy of their body; generated ones have one for each stage.
  return k.compile({.pipeline = false});
}

}  // namespace npurt::kernels
