// SPDX-License-Identifier: Apache-2.0
// A chain of operations, recorded once and replayed as one list of commands.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "npurt/buffer.hpp"
#include "npurt/detail/operands.hpp"
#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/attention.hpp"
#include "npurt/ops/attention_i8.hpp"
#include "npurt/ops/elementwise.hpp"
#include "npurt/weights.hpp"

namespace npurt {

/// A sequence is used as it cannot be: an operation recorded after compile(), a call before it, a name that it has not,
/// a tensor of another sequence.
class sequence_error : public error {
 public:
  using error::error;
};

/// What the elements of a tensor of a sequence are.
enum class sequence_element : std::uint8_t { bf16, i8, i32, f32 };

namespace detail {

struct sequence_state;
namespace sequences {
struct handles;
}

/// Elements of a matrix on the host.
template <typename Byte>
struct sequence_view {
  Byte* data;
  sequence_element element;
  std::size_t rows, columns;
};

template <typename T>
inline constexpr bool is_sequence_element = std::same_as<T, std::bfloat16_t> || std::same_as<T, std::int8_t> ||
                                            std::same_as<T, std::int32_t> || std::same_as<T, float>;

template <typename T>
inline constexpr sequence_element sequence_element_of = std::same_as<T, std::bfloat16_t> ? sequence_element::bf16
                                                        : std::same_as<T, std::int8_t>   ? sequence_element::i8
                                                        : std::same_as<T, std::int32_t>  ? sequence_element::i32
                                                                                         : sequence_element::f32;

}  // namespace detail

/// A matrix inside a sequence, or some of its columns. A handle: cheap to copy, of no use without the sequence that it
/// comes from. Immutable, hence thread-safe.
class sequence_tensor {
 public:
  std::size_t rows() const noexcept { return rows_; }
  std::size_t columns() const noexcept { return columns_; }
  sequence_element element() const noexcept { return element_; }

  /// `count` columns from `first` on, without a copy. Attention reads such; other operations take whole tensors.
  /// @throws shape_error if they are not all there
  sequence_tensor columns(std::size_t first, std::size_t count) const;

 private:
  friend struct detail::sequences::handles;

  sequence_tensor(std::uint64_t owner, std::size_t index, std::size_t rows, std::size_t columns,
                  sequence_element element)
      : owner_(owner), index_(index), rows_(rows), columns_(columns), element_(element) {}

  std::uint64_t owner_;
  std::size_t index_;
  std::size_t rows_, columns_;
  std::size_t first_column_ = 0;
  sequence_element element_;
};

/// What a matmul of a sequence does with the product and the bias that belongs to the weights, in this order.
struct sequence_matmul_options {
  bool gelu = false;                          ///< gelu of it, as npurt::matmul's
  std::optional<sequence_tensor> residual{};  ///< is added; [M, N]
};

/// How a tensor lies in its buffer: rows of `columns` elements, each `pitch` elements after the one before. What lies
/// between rows' ends and the next rows must be zero in a buffer that is bound, what lies behind the last row a number.
struct sequence_layout {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t pitch = 0;     ///< elements
  std::size_t elements = 0;  ///< of the whole buffer
  bool operator==(const sequence_layout&) const = default;
};

/// An operation of a sequence, for tables.
struct sequence_step {
  std::string name;         ///< operation and shape, e.g. "matmul 1500x512x512 +bias"
  std::uint64_t macs = 0;   ///< multiply-accumulates of the true shape
  std::uint64_t bytes = 0;  ///< operands and result, without padding
};

/// Operations on matrices whose shapes are fixed, of std::bfloat16_t unless it says otherwise, recorded once. First
/// record: input(), operations, output(); each operation returns its result's handle. Then compile(). Then any number
/// of runs: write() what is new, run() or start() and wait(), read(). A run is one list of commands on the device
/// (xrt::runlist): intermediate tensors stay there, nothing is copied or synchronised between operations, and the
/// host's part is one ioctl for every 24 operations. Results are those of the operations called one by one, bit for
/// bit.
///
/// One run of a sequence is in flight at a time; runs of several sequences (duplicate()) and single calls of one device
/// may be, and are executed in the order in which they were started; from the fifth command on start() waits until the
/// driver has room.
///
/// Where a run fails or its deadline passes in run(), the next start() makes a new context: weights, inputs and
/// bindings are as they were, so that the same sequence works again. Move-only, may outlive its device. Thread-safe:
/// calls are serialised. The first sequence or operation on a device opens the hw_context that all of them share.
class sequence {
 public:
  /// @param target where to run
  explicit sequence(device& target);

  sequence(sequence&&) noexcept = default;
  sequence& operator=(sequence&&) noexcept;
  sequence(const sequence&) = delete;
  sequence& operator=(const sequence&) = delete;
  ~sequence();

  /// A tensor that the caller writes before a run; it keeps its elements until they are written again.
  /// @tparam Element std::bfloat16_t or std::int8_t
  /// @param name    not empty, of no other input or output
  /// @param rows    R, 1 to 16384
  /// @param columns C, 1 to 8192
  /// @throws shape_error naming R or C; sequence_error
  template <typename Element = std::bfloat16_t>
  sequence_tensor input(std::string name, std::size_t rows, std::size_t columns) {
    static_assert(std::same_as<Element, std::bfloat16_t> || std::same_as<Element, std::int8_t>,
                  "npurt::sequence: the elements of an input must be std::bfloat16_t or std::int8_t");
    return input_of(std::move(name), rows, columns, detail::sequence_element_of<Element>);
  }

  /// An input for mel(), written as a matrix [1, n] of float, which the host scales. It has no layout().
  /// @param count n, mel_min_samples to mel_max_samples
  /// @throws shape_error naming n; sequence_error
  sequence_tensor samples(std::string name, std::size_t count);

  /// a · weights + bias, then the options; numeric contract of npurt::matmul, the sum rounded once at the end.
  /// @param a [M, K], K that of the weights
  /// @throws shape_error naming M, N or K; sequence_error
  sequence_tensor matmul(const sequence_tensor& a, const matmul_weights& weights,
                         const sequence_matmul_options& options = {});

  /// a · weights in std::int32_t, or in std::int8_t if the weights have scales; exact as npurt::matmul's.
  /// @param a [M, K] std::int8_t
  /// @throws shape_error naming M, N or K; sequence_error
  sequence_tensor matmul(const sequence_tensor& a, const matmul_i8_weights& weights);

  /// See npurt::layernorm. C even, above 2044 a multiple of 4.
  /// @throws shape_error naming R or C; value_error for eps; sequence_error
  sequence_tensor layernorm(const sequence_tensor& x, const layernorm_weights& weights, float eps);

  /// See npurt::softmax; C as for layernorm().
  /// @throws shape_error naming R or C; sequence_error
  sequence_tensor softmax(const sequence_tensor& x);

  /// See npurt::attention: softmax(q · kᵀ · scale) · v for each head. Columns d·h to d·h + d - 1 of each operand and of
  /// the result are head h.
  /// @param q [T, d · heads], or such columns of a tensor
  /// @param k [S, d · heads]
  /// @param v [S, d · heads]
  /// @param d 64 or 128
  /// @return [T, d · heads]
  /// @throws shape_error naming H, T, S or d; value_error as npurt::attention; sequence_error
  sequence_tensor attention(const sequence_tensor& q, const sequence_tensor& k, const sequence_tensor& v,
                            const attention_options& options = {}, std::size_t d = 64);

  /// See npurt::attention_i8; as attention(), with operands of std::int8_t and d 64.
  /// @return [T, 64 · heads] std::bfloat16_t
  /// @throws as attention(); value_error if a scale is not positive and finite
  sequence_tensor attention_i8(const sequence_tensor& q, const sequence_tensor& k, const sequence_tensor& v,
                               const attention_scales& scales, const attention_options& options = {});

  /// See npurt::mel.
  /// @param samples of samples()
  /// @return [80, n / 160] float, to be read, not an operand: reading it does the host's part
  /// @throws sequence_error
  sequence_tensor mel(const sequence_tensor& samples);

  /// See npurt::transpose.
  /// @param x [R, C] of any elements; a row of the result has whole words, 4 bytes
  /// @return [C, R]
  /// @throws shape_error naming R or, with its padding, C; sequence_error
  sequence_tensor transpose(const sequence_tensor& x);

  /// See npurt::gelu_i8.
  /// @param x of std::int8_t
  /// @throws value_error if a scale is not positive and finite; shape_error naming R; sequence_error
  sequence_tensor gelu_i8(const sequence_tensor& x, float input_scale, float output_scale);

  /// See npurt::gelu, silu, relu, scale, add and copy, which takes any elements.
  /// @throws shape_error naming R or C; sequence_error
  sequence_tensor gelu(const sequence_tensor& x) { return elementwise(npurt::elementwise::gelu, x, 1); }
  sequence_tensor silu(const sequence_tensor& x) { return elementwise(npurt::elementwise::silu, x, 1); }
  sequence_tensor relu(const sequence_tensor& x) { return elementwise(npurt::elementwise::relu, x, 1); }
  sequence_tensor scale(const sequence_tensor& x, float factor) {
    return elementwise(npurt::elementwise::scale, x, factor);
  }
  sequence_tensor add(const sequence_tensor& x, const sequence_tensor& y);
  sequence_tensor copy(const sequence_tensor& x);

  /// Names a result that the caller reads after a run. It may be an operand of other operations, too.
  /// @throws sequence_error if it is an input, has a name already, or the name is taken
  void output(std::string name, const sequence_tensor& result);

  /// Chooses how each tensor lies in memory, writes the control code, makes buffers and commands. Synchronous; nothing
  /// can be recorded afterwards.
  /// @throws shape_error where an operation cannot work with the layout that its neighbours need; buffer_error if there
  ///         is no memory left; sequence_error if there is no operation or no output; otherwise as npurt::gelu before
  ///         its command
  void compile();

  /// Copies into the input's buffer; not while a run is in flight.
  /// @param view [R, C] of the input's extents and elements
  /// @throws shape_error naming R or C; sequence_error; value_error if a sample is not finite; command_error if a run
  /// is
  ///         in flight
  template <typename View>
  void write(std::string_view name, const View& view) {
    static_assert(detail::is_matrix<View>, "npurt::sequence: an input is written from a npurt::matrix_view (rank 2)");
    using element = std::remove_const_t<detail::element_of<View>>;
    static_assert(detail::is_sequence_element<element>,
                  "npurt::sequence: the elements must be std::bfloat16_t, std::int8_t or, of samples, float");
    write_matrix(name, {std::as_bytes(view.elements()).data(), detail::sequence_element_of<element>, view.rows(),
                        view.columns()});
  }

  /// Copies out of the output's buffer what the last run left there; not while a run is in flight.
  /// @param view [R, C] of the output's extents and elements
  /// @throws shape_error naming R or C; sequence_error, also if no run has completed; command_error if one is in flight
  template <typename View>
  void read(std::string_view name, const View& view) {
    static_assert(detail::is_matrix<View>, "npurt::sequence: an output is read into a npurt::matrix_view (rank 2)");
    using element = detail::element_of<View>;
    static_assert(detail::is_sequence_element<element>,
                  "npurt::sequence: the elements must be std::bfloat16_t, std::int8_t, std::int32_t or float and not "
                  "const");
    read_matrix(name, {std::as_writable_bytes(view.elements()).data(), detail::sequence_element_of<element>,
                       view.rows(), view.columns()});
  }

  /// How a buffer for an input or output has to be laid out. After compile().
  /// @throws sequence_error
  sequence_layout layout(std::string_view name) const;

  /// A buffer for an input or output of that layout, all zeros.
  /// @tparam Element its elements
  /// @throws buffer_error; sequence_error
  template <typename Element = std::bfloat16_t>
  buffer<Element> make_buffer(std::string_view name) const {
    buffer<Element> made(target(), elements_of(name, detail::sequence_element_of<Element>));
    for (Element& each : made) each = Element{};
    made.to_device();
    return made;
  }

  /// From the next run on the device works in this buffer instead of the sequence's own, without copies: the caller
  /// synchronises it (buffer::to_device before a run, from_device after one). Its memory is kept until another one is
  /// bound. An output bound as another sequence's input needs an equal layout() there. The list of commands is filled
  /// anew: some microseconds an operation.
  /// @throws buffer_error if it is smaller than the layout; sequence_error; command_error if a run is in flight
  template <typename Element>
  void bind(std::string_view name, const buffer<Element>& with) {
    static_assert(detail::is_sequence_element<Element>, "npurt::sequence: a tensor has no such elements");
    bind_memory(name, with.native(), detail::sequence_element_of<Element>);
  }

  /// Starts and waits, until `deadline` from now if one is given: where it passes, the commands are given up,
  /// too.
  /// @throws timeout_error, command_error naming the operation: outputs are not to be read then, the next run has a new
  ///         context
  void run() { run(default_deadline()); }
  void run(std::chrono::milliseconds deadline);

  /// Hands the list to the device and returns. See wait().
  /// @throws command_error if a run is in flight or the driver does not take it; where the context is made anew, as
  ///         compile()
  void start();

  /// Waits for the end of the run.
  /// @throws timeout_error: wait again, it stays in flight; others get a new context; command_error if never started,
  ///         or naming the operation that failed
  void wait() { wait(default_deadline()); }
  void wait(std::chrono::milliseconds deadline);

  /// Whether a run that was started has not ended yet.
  bool busy() const;

  /// From the next start() on `call` is called when a run has ended, on a thread of the sequence's own: with null, or
  /// with what wait() would throw. It may start the next run; what it throws is logged. wait() can be called as
  /// well, and returns before `call` does. Once the sequence is destroyed, also while a run is in flight, there is no
  /// call any more. Empty: no more calls.
  /// @throws command_error if a run is in flight
  void on_completion(std::function<void(std::exception_ptr)> call);

  /// The operations one after the other, each as a command of its own and waited for: for measurements.
  /// @param after is called when step i has ended, not within its time
  /// @throws as run()
  void run_stepwise(const std::function<void(std::size_t step, const sequence_step&)>& after,
                    std::chrono::milliseconds deadline_each);

  /// A sequence of the same operations with inputs, outputs and intermediate tensors of its own; weights are shared.
  /// After compile().
  /// @throws as compile()
  sequence duplicate() const;

  /// In the order of the recording.
  const std::vector<sequence_step>& steps() const;

  /// Of the buffers of tensors; weights not counted. After compile().
  std::size_t size_bytes() const;

  /// Where it runs. After compile().
  const op_report& report() const;

  /// Wall-clock time that a run is given unless it says otherwise: 10 s, on an emulated device 1 h.
  std::chrono::milliseconds default_deadline() const;

 private:
  explicit sequence(std::shared_ptr<detail::sequence_state> state);

  sequence_tensor elementwise(npurt::elementwise function, const sequence_tensor& x, float factor);
  sequence_tensor input_of(std::string name, std::size_t rows, std::size_t columns, sequence_element element);
  void write_matrix(std::string_view name, const detail::sequence_view<const std::byte>& view);
  void read_matrix(std::string_view name, const detail::sequence_view<std::byte>& view);
  const device& target() const;
  std::size_t elements_of(std::string_view name, sequence_element element) const;
  void bind_memory(std::string_view name, const xrt::bo& bo, sequence_element element);
  void retire() noexcept;

  detail::owner<detail::sequence_state> state_;
};

}  // namespace npurt
