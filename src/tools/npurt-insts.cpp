// SPDX-License-Identifier: Apache-2.0
// npurt-insts: writes the control code of a kernel's call to a file, for programs that use XRT without npurt.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/detail/op_code.hpp"
#include "npurt/error.hpp"

namespace {

using npurt::detail::op_argument;
using npurt::detail::op_code;

void write_bytes(const std::string& file, const void* data, std::size_t size) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  out.close();
  if (!out) throw npurt::file_error(fmt::format("{} cannot be written: {}", file, std::strerror(errno)));
}

void write_words(const std::string& file, const std::vector<std::uint32_t>& words) {
  write_bytes(file, words.data(), words.size() * sizeof(words[0]));
}

void report(const std::string& file, std::size_t words, const char* kernel, const std::vector<op_argument>& buffers) {
  std::vector<std::string> texts;
  for (const op_argument& each : buffers) {
    texts.push_back(
        fmt::format("bo{} = {} [{}] {}", texts.size(), each.name, fmt::join(each.extents, ", "), each.type));
  }
  fmt::print("{}: {} words; kernel {} with {}\n", file, words, kernel, fmt::join(texts, ", "));
}

/// What the subcommands fill in.
struct options {
  std::string file;
  std::string xclbin;
  npurt::matmul_shape matmul;
  npurt::attention_shape attention;
  npurt::attention_scales attention_scales;
  npurt::attention_options attention_options;
  npurt::softmax_mask mask;
  bool additive = false;
  std::size_t elements = 0, rows = 0, columns = 0, element_bytes = 1;
  float factor = 1, eps = 1e-5F;
  double sample_scale = 1;
  std::int32_t zero_point = 0;
  npurt::detail::matmul_code_options ending;
  std::string tables;
};

/// The call of the small kernel that does nothing but int8 matmul.
void write_i8_matmul(const options& o) {
  const npurt::matmul_shape whole = npurt::detail::padded(o.matmul);
  const std::vector<std::uint32_t> words = npurt::detail::matmul_control_code(o.matmul);
  write_words(o.file, words);
  report(o.file, words.size(), "i8_matmul",
         {{"A", "int8", {whole.m, whole.k}}, {"B", "int8", {whole.k, whole.n}}, {"C", "int32", {whole.m, whole.n}}});
}

void write_tables(const std::string& file, const std::vector<op_argument>& buffers) {
  for (const op_argument& each : buffers) {
    if (!each.content.empty()) write_bytes(file, each.content.data(), each.content.size());
  }
}

void write_call(const options& o, const op_code& call) {
  const std::vector<std::uint32_t> words = npurt::detail::standalone(call, npurt::xclbin(o.xclbin));
  write_words(o.file, words);
  if (!o.tables.empty()) write_tables(o.tables, call.arguments);
  report(o.file, words.size(), "overlay", call.arguments);
}

/// A subcommand that calls `write` once the arguments are complete.
template <typename Write>
CLI::App& add_command(CLI::App& app, options& o, const std::string& name, const std::string& text, Write write) {
  CLI::App& command = *app.add_subcommand(name, text);
  command.add_option("-o,--output", o.file, "File to write")->required();
  command.callback(write);
  return command;
}

void add_matmul_shape(CLI::App& command, options& o) {
  command.add_option("M", o.matmul.m, "Rows of A and C")->required();
  command.add_option("N", o.matmul.n, "Columns of B and C")->required();
  command.add_option("K", o.matmul.k, "Columns of A, rows of B")->required();
}

npurt::detail::matmul_addend addend_named(const std::string& type) {
  return type == "float" ? npurt::detail::matmul_addend::f32 : npurt::detail::matmul_addend::bf16;
}

/// What a product of bfloat16 may be asked for: activation(A x B + bias) + residual.
void add_matmul_ending(CLI::App& command, options& o) {
  command.add_flag("--bias", o.ending.bias, "A buffer behind C is added, float for each column; zeros behind N");
  command.add_flag("--gelu", o.ending.gelu, "gelu of the sum");
  command
      .add_option_function<std::string>(
          "--residual", [&o](const std::string& type) { o.ending.residual = addend_named(type); },
          "bf16 or (of C in float) float: a last buffer like C is added then")
      ->check(CLI::IsMember({"bf16", "float"}));
  command.add_flag("--transposed", o.ending.b_transposed, "B is [N, K]; not with --residual");
}

/// For a call with a buffer whose contents it says.
void add_tables(CLI::App& command, options& o) {
  command.add_option("--tables", o.tables, "File to write what the buffer of tables must hold")->required();
}

/// A subcommand for the overlay.
template <typename Make>
CLI::App& add_operation(CLI::App& app, options& o, const std::string& name, const std::string& text, Make make) {
  CLI::App& command = add_command(app, o, name, text, [&o, make] { write_call(o, make()); });
  command.add_option("--xclbin", o.xclbin, "The overlay's XCLBIN, share/npurt/kernels/overlay.xclbin")
      ->required()
      ->check(CLI::ExistingFile);
  return command;
}

void add_elementwise(CLI::App& app, options& o) {
  for (const char* name : {"copy", "gelu", "silu", "relu", "scale", "add", "gelu_i8"}) {
    CLI::App& command =
        add_operation(app, o, name, fmt::format("{} of N elements, bfloat16 unless it is named int8", name),
                      [&o, name] { return npurt::detail::elementwise_op_code(name, o.elements, o.factor); });
    command.add_option("N", o.elements, "Elements")->required();
    if (std::string_view(name) == "scale") command.add_option("FACTOR", o.factor, "Factor")->required();
  }
}

void add_rows(CLI::App& app, options& o) {
  const auto add_shape = [&o](CLI::App& command) {
    command.add_option("R", o.rows, "Rows")->required();
    command.add_option("C", o.columns, "Columns, 1 to 4096")->required();
  };
  CLI::App& layernorm = add_operation(app, o, "layernorm", "layernorm of the rows of [R, C], bfloat16",
                                      [&o] { return npurt::detail::layernorm_op_code(o.rows, o.columns, o.eps); });
  add_shape(layernorm);
  layernorm.add_option("EPS", o.eps, "Added to the variance")->required();
  CLI::App& softmax = add_operation(app, o, "softmax", "softmax of the rows of [R, C], bfloat16", [&o] {
    return npurt::detail::softmax_op_code(o.rows, o.columns, o.mask, o.additive);
  });
  add_shape(softmax);
  softmax.add_option("--length", o.mask.length, "Columns that count, the first ones");
  softmax.add_flag("--causal", o.mask.causal, "Of row r columns up to r + offset count");
  softmax.add_option("--offset", o.mask.offset, "Of --causal, 0 unless given");
  softmax.add_flag("--added", o.additive, "A third buffer is added to x: a mask of 0 and -inf");
  CLI::App& transpose = add_operation(app, o, "transpose", "Transpose of [R, C]", [&o] {
    return npurt::detail::transpose_op_code(o.rows, o.columns, o.element_bytes);
  });
  transpose.add_option("R", o.rows, "Rows")->required();
  transpose.add_option("C", o.columns, "Columns")->required();
  transpose.add_option("BYTES", o.element_bytes, "Of an element: 1, 2 or 4")->required();
}

void add_matmuls(CLI::App& app, options& o) {
  using enum npurt::detail::matmul_types;
  const auto add = [&](const char* name, const char* text, npurt::detail::matmul_types types) -> CLI::App& {
    CLI::App& command = add_operation(app, o, name, text,
                                      [&o, types] { return npurt::detail::matmul_op_code(types, o.matmul, o.ending); });
    add_matmul_shape(command, o);
    return command;
  };
  add("matmul-i8-i32", "C[M, N] = A[M, K] x B[K, N], int8 to int32, by the overlay", i8_i32);
  add_matmul_ending(add("matmul-bf16-f32", "C[M, N] = A[M, K] x B[K, N], bfloat16 to float", bf16_f32), o);
  add_matmul_ending(add("matmul-bf16", "C[M, N] = A[M, K] x B[K, N], bfloat16", bf16_bf16), o);
  CLI::App& quantised =
      add_operation(app, o, "matmul-i8-i8", "C[M, N] = A[M, K] x B[K, N] times a factor plus a zero point, int8", [&o] {
        const std::vector scales(o.matmul.n, npurt::column_scale_of(double{o.factor}));
        return npurt::detail::matmul_op_code(i8_i8, o.matmul, {.scales = scales, .zero_point = o.zero_point});
      });
  add_matmul_shape(quantised, o);
  quantised.add_option("FACTOR", o.factor, "Of every column; other tables: kernels/i8-matmul/README.md")->required();
  quantised.add_option("--zero-point", o.zero_point, "-128 to 127, 0 unless given");
  add_tables(quantised, o);
  add_matmul_shape(
      add_command(app, o, "matmul-i8",
                  "C[M, N] = A[M, K] x B[K, N], int8 to int32, by the kernel i8_matmul (i8-matmul.xclbin); "
                  "M, N and K up to 4096",
                  [&o] { write_i8_matmul(o); }),
      o);
}

void add_mel(CLI::App& app, options& o) {
  CLI::App& command = add_operation(app, o, "mel", "log10 of the mel spectrum of N samples, int32 to float",
                                    [&o] { return npurt::detail::mel_op_code(o.elements, o.sample_scale); });
  command.add_option("N", o.elements, "Samples, without the 200 mirrored ones at each end")->required();
  command.add_option("SCALE", o.sample_scale, "What they are multiplied by, a power of two; less than 2^29 then")
      ->required();
  add_tables(command, o);
}

void add_attention_shape(CLI::App& command, options& o) {
  command.add_option("H", o.attention.heads, "Heads")->required();
  command.add_option("T", o.attention.rows, "Rows of q")->required();
  command.add_option("S", o.attention.keys, "Rows of k and v")->required();
  command.add_option("D", o.attention.d, "Elements of a row")->required();
  command.add_flag("--causal", o.attention_options.causal, "Row t sees keys 0 to t only");
  command.add_option("--key-length", o.attention_options.key_length, "Keys that are seen, the first ones");
}

void add_attention(CLI::App& app, options& o) {
  add_attention_shape(
      add_operation(app, o, "attention", "softmax(q k^T / sqrt d) v of each head, bfloat16",
                    [&o] { return npurt::detail::attention_op_code(o.attention, o.attention_options); }),
      o);
  CLI::App& quantised = add_operation(
      app, o, "attention-i8", "softmax(q k^T / sqrt d) v of each head, int8 to bfloat16",
      [&o] { return npurt::detail::attention_i8_op_code(o.attention, o.attention_scales, o.attention_options); });
  add_attention_shape(quantised, o);
  quantised.add_option("Q_STEP", o.attention_scales.q, "What one step of q is worth")->required();
  quantised.add_option("K_STEP", o.attention_scales.k, "Of k")->required();
  quantised.add_option("V_STEP", o.attention_scales.v, "Of v")->required();
}

constexpr const char* footer =
    "The buffers are printed: tensors are padded with zeros to those extents. Control code for the overlay begins "
    "with\n"
    "the operation's page of code, so that it works whatever ran before.\n"
    "\n"
    "Exit code: 0 done; 1 a shape that the kernel does not do, or a file that cannot be read or written; 2 wrong "
    "arguments.\n"
    "\n"
    "Example:\n"
    "  npurt-insts softmax 100 200 --xclbin overlay.xclbin -o insts.bin";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Writes the control code of a kernel's call, little-endian words, for the instruction buffer of a command.");
  app.footer(footer);
  app.require_subcommand(1);
  options o;
  add_matmuls(app, o);
  add_attention(app, o);
  add_mel(app, o);
  add_elementwise(app, o);
  add_rows(app, o);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const npurt::error& failure) {
    fmt::print(stderr, "npurt-insts: {}\n", failure.what());
    return 1;
  }
}
