// SPDX-License-Identifier: Apache-2.0
// The public sequence: a recording until compile(), a runner from then on.
#include "npurt/sequence.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "npurt/ops/gelu_i8.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/mel_operands.hpp"
#include "runtime/overlay/layout.hpp"
#include "runtime/overlay/mel_code.hpp"
#include "runtime/sequence/recording.hpp"
#include "runtime/sequence/runner.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt {

namespace detail {

struct sequence_state {
  device target;
  sequences::recording recorded;
  std::vector<sequence_step> steps{};
  std::shared_ptr<sequences::runner> compiled{};

  sequences::recording& recording() {
    if (compiled) throw sequence_error("a sequence cannot record any more: it is compiled");
    return recorded;
  }
  sequences::runner& runner() const {
    if (!compiled) throw sequence_error("a sequence is called before it is compiled");
    return *compiled;
  }
};

namespace {

device same(const device& other) { return device(other.state()); }

using sequences::operand;
using sequences::recording;

void check_same_shape(const char* operation, const operand& x, const operand& y) {
  check_extent(operation, "y", "R", y.rows, x.rows);
  check_extent(operation, "y", "C", y.columns, x.columns);
}

const char* name_of(sequence_element element) {
  constexpr std::array names{"std::bfloat16_t", "std::int8_t", "std::int32_t", "float"};
  return names[std::to_underlying(element)];
}

/// @param operation for the message
/// @throws sequence_error
void check_element(const char* operation, sequence_element given, sequence_element wanted) {
  if (given == wanted) return;
  throw sequence_error(fmt::format("{} in a sequence: the elements of an operand are {}, they must be {}", operation,
                                   name_of(given), name_of(wanted)));
}

operand whole(const recording& in, const char* operation, const sequence_tensor& x,
              sequence_element wanted = sequence_element::bf16) {
  const operand all = in.whole(x);
  check_element(operation, all.element, wanted);
  return all;
}

operand part(const recording& in, const char* operation, const sequence_tensor& x, sequence_element wanted) {
  const operand some = in.part(x);
  check_element(operation, some.element, wanted);
  return some;
}

/// Records an operation from x to a tensor of the same extents and elements.
template <typename Make>
sequence_tensor like(recording& in, const operand& from, Make&& make) {
  return in.add({.rows = from.rows, .columns = from.columns, .element = from.element},
                [&](const operand& to) { return make(from, to); });
}

sequence_tensor record_matmul(recording& in, sequences::matmul_inputs inputs, sequence_element result) {
  return in.add({.rows = inputs.a.rows, .columns = inputs.weights->outputs, .element = result}, [&](const operand& to) {
    inputs.result = to;
    return sequences::matmul_step(inputs);
  });
}

sequence_tensor record_attention(recording& in, sequences::attention_inputs inputs) {
  return in.add({.rows = inputs.q.rows, .columns = inputs.q.columns}, [&](const operand& to) {
    inputs.result = to;
    return sequences::attention_step(inputs);
  });
}

}  // namespace

}  // namespace detail

using detail::like;
using detail::operand;
using detail::part;
using detail::recording;
using detail::whole;

sequence_tensor sequence_tensor::columns(std::size_t first, std::size_t count) const {
  if (count == 0 || first > columns_ || count > columns_ - first) {
    throw shape_error("C", fmt::format("{} columns from {} on of a tensor of {} columns", count, first, columns_));
  }
  sequence_tensor some = *this;
  some.first_column_ += first;
  some.columns_ = count;
  return some;
}

sequence::sequence(device& target)
    : sequence(std::make_shared<detail::sequence_state>(detail::same(target), detail::recording())) {}

sequence::sequence(std::shared_ptr<detail::sequence_state> state) : state_(std::move(state), "sequence") {}

sequence::~sequence() { retire(); }

sequence& sequence::operator=(sequence&& other) noexcept {
  if (this != &other) {
    retire();
    state_ = std::move(other.state_);
  }
  return *this;
}

void sequence::retire() noexcept {
  if (!state_.empty() && state_->compiled) state_->compiled->retire();
}

sequence_tensor sequence::input_of(std::string name, std::size_t rows, std::size_t columns, sequence_element element) {
  return state_->recording().input(std::move(name), rows, columns, element);
}

sequence_tensor sequence::samples(std::string name, std::size_t count) {
  return state_->recording().samples(std::move(name), count);
}

sequence_tensor sequence::matmul(const sequence_tensor& a, const matmul_weights& weights,
                                 const sequence_matmul_options& options) {
  recording& in = state_->recording();
  detail::sequences::matmul_inputs inputs{
      .a = whole(in, "matmul", a), .weights = weights.state(), .gelu = options.gelu};
  if (options.residual) inputs.residual = whole(in, "matmul", *options.residual);
  return detail::record_matmul(in, inputs, sequence_element::bf16);
}

sequence_tensor sequence::matmul(const sequence_tensor& a, const matmul_i8_weights& weights) {
  recording& in = state_->recording();
  return detail::record_matmul(in, {.a = whole(in, "matmul", a, sequence_element::i8), .weights = weights.state()},
                               weights.has_scales() ? sequence_element::i8 : sequence_element::i32);
}

sequence_tensor sequence::layernorm(const sequence_tensor& x, const layernorm_weights& weights, float eps) {
  recording& in = state_->recording();
  return like(in, whole(in, "layernorm", x), [&](const operand& from, const operand& to) {
    return detail::sequences::layernorm_step(from, to, weights.state(), eps);
  });
}

sequence_tensor sequence::softmax(const sequence_tensor& x) {
  recording& in = state_->recording();
  return like(in, whole(in, "softmax", x), detail::sequences::softmax_step);
}

sequence_tensor sequence::attention(const sequence_tensor& q, const sequence_tensor& k, const sequence_tensor& v,
                                    const attention_options& options, std::size_t d) {
  recording& in = state_->recording();
  const auto heads = [&](const sequence_tensor& x) { return part(in, "attention", x, sequence_element::bf16); };
  return detail::record_attention(in, {heads(q), heads(k), heads(v), {}, options, d});
}

sequence_tensor sequence::attention_i8(const sequence_tensor& q, const sequence_tensor& k, const sequence_tensor& v,
                                       const attention_scales& scales, const attention_options& options) {
  recording& in = state_->recording();
  const auto heads = [&](const sequence_tensor& x) { return part(in, "attention_i8", x, sequence_element::i8); };
  return detail::record_attention(in, {heads(q), heads(k), heads(v), {}, options, attention_i8_max_shape.d, scales});
}

sequence_tensor sequence::elementwise(npurt::elementwise function, const sequence_tensor& x, float factor) {
  recording& in = state_->recording();
  return like(in, whole(in, "elementwise", x), [&](const operand& from, const operand& to) {
    return detail::sequences::elementwise_step(function, from, to, factor);
  });
}

sequence_tensor sequence::gelu_i8(const sequence_tensor& x, float input_scale, float output_scale) {
  recording& in = state_->recording();
  const operand from = whole(in, "gelu_i8", x, sequence_element::i8);
  const detail::int8_table table = detail::gelu_table(input_scale, output_scale);
  return like(in, from, [&](const operand&, const operand& to) {
    buffer<std::byte> chunk(state_->target.state()->ops.open(state_->target)->target, detail::overlay::chunk_bytes);
    std::memset(chunk.data(), 0, chunk.size());
    std::memcpy(chunk.data(), table.data(), table.size());
    chunk.to_device();
    return detail::sequences::gelu_i8_step({from, to, std::move(chunk)});
  });
}

sequence_tensor sequence::add(const sequence_tensor& x, const sequence_tensor& y) {
  recording& in = state_->recording();
  const operand other = whole(in, "add", y);
  return like(in, whole(in, "add", x), [&](const operand& from, const operand& to) {
    detail::check_same_shape("add", from, other);
    return detail::sequences::add_step(from, other, to);
  });
}

sequence_tensor sequence::copy(const sequence_tensor& x) {
  recording& in = state_->recording();
  return like(in, in.whole(x), detail::sequences::copy_step);
}

sequence_tensor sequence::transpose(const sequence_tensor& x) {
  recording& in = state_->recording();
  const operand from = in.whole(x);
  return in.add({.rows = from.columns, .columns = from.rows, .element = from.element},
                [&](const operand& to) { return detail::sequences::transpose_step(from, to); });
}

sequence_tensor sequence::mel(const sequence_tensor& samples) {
  recording& in = state_->recording();
  const operand from = in.samples_of(samples);
  return in.add({.rows = mel_bands,
                 .columns = mel_frames(from.columns),
                 .element = sequence_element::f32,
                 .form = detail::sequences::form::mel_result,
                 .least_bytes = detail::mel_recipe(from.columns).buffer_bytes[detail::overlay::argument_result]},
                [&](const operand& to) { return detail::sequences::mel_step(from, from.tensor + 1, to); });
}

void sequence::output(std::string name, const sequence_tensor& result) {
  state_->recording().output(std::move(name), result);
}

void sequence::compile() {
  recording& in = state_->recording();
  state_->steps = in.steps();
  state_->compiled = std::make_shared<detail::sequences::runner>(detail::same(state_->target), in.compile());
}

sequence sequence::duplicate() const {
  const detail::sequences::runner& original = state_->runner();
  auto state =
      std::make_shared<detail::sequence_state>(detail::same(state_->target), detail::recording(), state_->steps);
  state->compiled = std::make_shared<detail::sequences::runner>(detail::same(state_->target), original.what());
  return sequence(std::move(state));
}

void sequence::write_matrix(std::string_view name, const detail::sequence_view<const std::byte>& view) {
  state_->runner().write(name, view);
}
void sequence::read_matrix(std::string_view name, const detail::sequence_view<std::byte>& view) {
  state_->runner().read(name, view);
}
sequence_layout sequence::layout(std::string_view name) const { return state_->runner().layout(name); }
const device& sequence::target() const { return state_->runner().target(); }
std::size_t sequence::elements_of(std::string_view name, sequence_element element) const {
  return state_->runner().elements_of(name, element);
}
void sequence::bind_memory(std::string_view name, const xrt::bo& bo, sequence_element element) {
  state_->runner().bind(name, bo, element);
}
void sequence::run(std::chrono::milliseconds deadline) { state_->runner().run(deadline); }
void sequence::start() { state_->runner().start(); }
void sequence::wait(std::chrono::milliseconds deadline) { state_->runner().wait(deadline); }
bool sequence::busy() const { return state_->runner().busy(); }
void sequence::on_completion(std::function<void(std::exception_ptr)> call) {
  state_->runner().on_completion(std::move(call));
}
void sequence::run_stepwise(const std::function<void(std::size_t, const sequence_step&)>& after,
                            std::chrono::milliseconds deadline_each) {
  state_->runner().run_stepwise(after, deadline_each);
}
const std::vector<sequence_step>& sequence::steps() const {
  return state_->compiled ? state_->steps : state_->recorded.steps();
}
std::size_t sequence::size_bytes() const { return state_->runner().size_bytes(); }
const op_report& sequence::report() const { return state_->runner().report(); }
std::chrono::milliseconds sequence::default_deadline() const { return detail::overlay::default_deadline(report()); }

}  // namespace npurt
