// SPDX-License-Identifier: Apache-2.0
// The public sequence: a recording until compile(), a runner from then on.
#include "npurt/sequence.hpp"

#include <fmt/format.h>

#include "npurt/detail/row_calls.hpp"
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

/// Records an operation from x to a tensor of the same extents.
template <typename Make>
sequence_tensor like(recording& in, const sequence_tensor& x, Make&& make) {
  const operand from = in.whole(x);
  return in.add(from.rows, from.columns, [&](const operand& to) { return make(from, to); });
}

}  // namespace

}  // namespace detail

using detail::like;
using detail::operand;
using detail::recording;

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

sequence_tensor sequence::input(std::string name, std::size_t rows, std::size_t columns) {
  return state_->recording().input(std::move(name), rows, columns);
}

sequence_tensor sequence::matmul(const sequence_tensor& a, const matmul_weights& weights,
                                 const sequence_matmul_options& options) {
  recording& in = state_->recording();
  detail::sequences::matmul_inputs inputs{.a = in.whole(a), .weights = weights.state(), .gelu = options.gelu};
  if (options.residual) inputs.residual = in.whole(*options.residual);
  return in.add(a.rows(), weights.outputs(), [&](const operand& to) {
    inputs.result = to;
    return detail::sequences::matmul_step(inputs);
  });
}

sequence_tensor sequence::layernorm(const sequence_tensor& x, const layernorm_weights& weights, float eps) {
  return like(state_->recording(), x, [&](const operand& from, const operand& to) {
    return detail::sequences::layernorm_step(from, to, weights.state(), eps);
  });
}

sequence_tensor sequence::softmax(const sequence_tensor& x) {
  return like(state_->recording(), x, detail::sequences::softmax_step);
}

sequence_tensor sequence::attention(const sequence_tensor& q, const sequence_tensor& k, const sequence_tensor& v,
                                    const attention_options& options, std::size_t d) {
  recording& in = state_->recording();
  detail::sequences::attention_inputs inputs{in.part(q), in.part(k), in.part(v), {}, options, d};
  return in.add(q.rows(), q.columns(), [&](const operand& to) {
    inputs.result = to;
    return detail::sequences::attention_step(inputs);
  });
}

sequence_tensor sequence::elementwise(npurt::elementwise function, const sequence_tensor& x, float factor) {
  return like(state_->recording(), x, [&](const operand& from, const operand& to) {
    return detail::sequences::elementwise_step(function, from, to, factor);
  });
}

sequence_tensor sequence::add(const sequence_tensor& x, const sequence_tensor& y) {
  recording& in = state_->recording();
  const operand other = in.whole(y);
  return like(in, x, [&](const operand& from, const operand& to) {
    detail::check_same_shape("add", from, other);
    return detail::sequences::add_step(from, other, to);
  });
}

sequence_tensor sequence::copy(const sequence_tensor& x) {
  return like(state_->recording(), x, detail::sequences::copy_step);
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

void sequence::write_matrix(std::string_view name, matrix_view<const std::bfloat16_t> view) {
  state_->runner().write(name, view);
}
void sequence::read_matrix(std::string_view name, matrix_view<std::bfloat16_t> view) {
  state_->runner().read(name, view);
}
sequence_layout sequence::layout(std::string_view name) const { return state_->runner().layout(name); }
buffer<std::bfloat16_t> sequence::make_buffer(std::string_view name) const {
  return state_->runner().make_buffer(name);
}
void sequence::bind(std::string_view name, const buffer<std::bfloat16_t>& with) {
  state_->runner().bind(name, with.native());
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
