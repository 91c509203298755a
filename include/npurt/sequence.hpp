// SPDX-License-Identifier: Apache-2.0
// A chain of operations, recorded once and replayed as one list of commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npurt/buffer.hpp"
#include "npurt/detail/operands.hpp"
#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/attention.hpp"
#include "npurt/ops/elementwise.hpp"
#include "npurt/weights.hpp"

namespace npurt {

/// A sequence is used as it cannot be: an operation recorded after compile(), a call before it, a name that it has not,
/// a tensor of another sequence.
class sequence_error : public error {
 public:
  using error::error;
};

namespace detail {
struct sequence_state;
namespace sequences {
struct handles;
}
}  // namespace detail

/// A matrix of std::bfloat16_t inside a sequence, or some of its columns. A handle: cheap to copy, of no use without
/// the sequence that it comes from.
class sequence_tensor {
 public:
  std::size_t rows() const noexcept { return rows_; }
  std::size_t columns() const noexcept { return columns_; }

  /// `count` columns from `first` on, without a copy. Attention reads such; other operations take whole tensors.
  /// @throws shape_error if they are not all there
  sequence_tensor columns(std::size_t first, std::size_t count) const;

 private:
  friend struct detail::sequences::handles;

  sequence_tensor(std::uint64_t owner, std::size_t index, std::size_t rows, std::size_t columns)
      : owner_(owner), index_(index), rows_(rows), columns_(columns) {}

  std::uint64_t owner_;
  std::size_t index_;
  std::size_t rows_, columns_;
  std::size_t first_column_ = 0;
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

/// Operations on matrices of std::bfloat16_t whose shapes are fixed, recorded once. First record: input(), operations,
/// output(); each operation returns its result's handle. Then compile(). Then any number of runs: write() what is new,
/// run() or start() and wait(), read(). A run is one list of commands on the device (xrt::runlist): intermediate
/// tensors stay there, nothing is copied or synchronised between operations, and the host's part is one ioctl for every
/// 24 operations. Results are those of the operations called one by one, bit for bit.
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
  /// @param name    not empty, of no other input or output
  /// @param rows    R, 1 to 16384
  /// @param columns C, 1 to 8192
  /// @throws shape_error naming R or C; sequence_error
  sequence_tensor input(std::string name, std::size_t rows, std::size_t columns);

  /// a · weights + bias, then the options; numeric contract of npurt::matmul, the sum rounded once at the end.
  /// @param a [M, K], K that of the weights
  /// @throws shape_error naming M, N or K; sequence_error
  sequence_tensor matmul(const sequence_tensor& a, const matmul_weights& weights,
                         const sequence_matmul_options& options = {});

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

  /// See npurt::gelu, silu, relu, scale, add and copy.
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
  /// @throws shape_error where an operation cannot work with the layout that its neighbours need; buffer_error if
  /// memory
  ///         runs out; sequence_error if there is no operation or no output; otherwise as npurt::gelu before its
  ///         command
  void compile();

  /// Copies into the input's buffer; not while a run is in flight.
  /// @param view [R, C] std::bfloat16_t of the input's extents
  /// @throws shape_error naming R or C; sequence_error; command_error if a run is in flight
  template <typename View>
  void write(std::string_view name, const View& view) {
    static_assert(detail::is_matrix<View>, "npurt::sequence: an input is written from a npurt::matrix_view (rank 2)");
    static_assert(detail::reads<View, std::bfloat16_t>, "npurt::sequence: the elements must be std::bfloat16_t");
    write_matrix(name, view);
  }

  /// Copies out of the output's buffer what the last run left there; not while a run is in flight.
  /// @param view [R, C] std::bfloat16_t of the output's extents
  /// @throws shape_error naming R or C; sequence_error, also if no run has completed; command_error if one is in flight
  template <typename View>
  void read(std::string_view name, const View& view) {
    static_assert(detail::is_matrix<View>, "npurt::sequence: an output is read into a npurt::matrix_view (rank 2)");
    static_assert(detail::writes<View, std::bfloat16_t>,
                  "npurt::sequence: the elements must be std::bfloat16_t and not const");
    read_matrix(name, view);
  }

  /// How a buffer for an input or output has to be laid out. After compile().
  /// @throws sequence_error
  sequence_layout layout(std::string_view name) const;

  /// A buffer for an input or output of that layout, all zeros.
  /// @throws buffer_error; sequence_error
  buffer<std::bfloat16_t> make_buffer(std::string_view name) const;

  /// From the next run on the device works in this buffer instead of the sequence's own, without copies: the caller
  /// synchronises it (buffer::to_device before a run, from_device after one). Its memory is kept until another one is
  /// bound. An output bound as another sequence's input needs an equal layout() there. The list of commands is filled
  /// anew: some microseconds an operation.
  /// @throws buffer_error if it is smaller than the layout; sequence_error; command_error if a run is in flight
  void bind(std::string_view name, const buffer<std::bfloat16_t>& with);

  /// Starts and waits.
  /// @param deadline from now
  /// @throws timeout_error, command_error naming the operation: outputs are not to be read then, the next run has a new
  ///         context
  void run() { run(default_deadline()); }
  void run(std::chrono::milliseconds deadline);

  /// Hands the list to the device and returns. See wait().
  /// @throws command_error if a run is in flight or the driver does not take it; where the context is made anew, as
  ///         compile()
  void start();

  /// Waits for the end of the run.
  /// @throws timeout_error: the run stays in flight and can be waited for again; command_error naming the operation
  /// that
  ///         failed, or if nothing was started
  void wait() { wait(default_deadline()); }
  void wait(std::chrono::milliseconds deadline);

  /// Whether a run that was started has not ended yet.
  bool busy() const;

  /// From the next start() on `call` is called when a run has ended, on a thread of the sequence's own: with null, or
  /// with what wait() would throw. It may start the next run. wait() can be called as well, and returns before `call`
  /// does. Empty: no more calls.
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
  void write_matrix(std::string_view name, matrix_view<const std::bfloat16_t> view);
  void read_matrix(std::string_view name, matrix_view<std::bfloat16_t> view);
  void retire() noexcept;

  detail::owner<detail::sequence_state> state_;
};

}  // namespace npurt
