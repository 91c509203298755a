// SPDX-License-Identifier: Apache-2.0
// How one and the same work scales with the cores that take part, and what they spend their time on: second calls, each
// in a process of its own.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <npurt/npurt.hpp>
#include <random>
#include <stdexcept>
#include <vector>

#include "bench/kernels/calls.hpp"
#include "bench/kernels/few_cores.hpp"
#include "bench/kernels/stub_calls.hpp"
#include "bench/subjects.hpp"
#include "bench/support/child.hpp"
#include "i16-mel/tables.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/mel_operands.hpp"
#include "runtime/overlay/matmul_code.hpp"
#include "runtime/overlay/mel_code.hpp"
#include "runtime/overlay/rows_code.hpp"

namespace npurt::bench {
namespace {

using bf16 = std::bfloat16_t;
using detail::overlay::operation;
using call = std::function<void(device&)>;
using bytes = std::vector<std::byte>;

constexpr core_share some_cores[] = {{1, 1}, {1, 4}, {2, 4}, {4, 4}};
/// B is for one core of a column or for all of them, and all columns take A or one does.
constexpr core_share matmul_cores[] = {{1, 1}, {4, 1}, {4, 4}};

constexpr std::size_t columns = 512, rows = 1536;  ///< whole units on any number of cores
constexpr matmul_shape product{.m = 256, .n = 2048, .k = 2048};
constexpr std::uint32_t mel_batches = 96;  ///< of eight frames

struct scaled_call {
  std::string name;
  call run;
};
/// One after the other against the first.
using scaled_calls = std::vector<scaled_call>;

/// The control code of the stub, but for the share that each core has; buffers of zeros, since no time depends on them.
call rows_on(operation op, const core_share& share) {
  return [op, share](device& npu) {
    const bool weights = op == operation::layernorm_bf16;
    const std::size_t size = rows * columns * sizeof(bf16);
    detail::overlay::recipe recipe{op,
                                   detail::overlay::rows_code({.op = op,
                                                               .rows = rows,
                                                               .columns = columns,
                                                               .eps = std::bit_cast<std::uint32_t>(1e-5F),
                                                               .weights = weights,
                                                               .array_columns = share.columns,
                                                               .cores_of_a_column = share.of_a_column}),
                                   {size, size}};
    if (weights) recipe.buffer_bytes.push_back(2 * std::size_t{detail::overlay::chunk_bytes});
    const auto plan =
        npu.state()->ops.plan_of(npu, {.operation = static_cast<std::uint32_t>(op)}, [&] { return recipe; });
    const auto nothing = [](detail::overlay::plan&) {};
    plan->call(plan->default_deadline(), nothing, nothing);
  };
}

template <typename T>
bytes bytes_of(const std::vector<T>& values) {
  bytes all(values.size() * sizeof(T));
  std::memcpy(all.data(), values.data(), all.size());
  return all;
}

/// Of numbers that the operation leaves as they are: large ones, times one, plus zeros, by a table that says so.
call linear_on(operation op, const core_share& share) {
  return [op, share](device& npu) {
    const detail::overlay::linear_operation& what = detail::overlay::linear_of(op);
    std::vector<bf16> x(rows * columns);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<bf16>(static_cast<float>(16 + i / 7 % 100));
    std::vector<bytes> operands{bytes_of(x)}, tables(what.has_table ? 1 : 0, bytes(detail::overlay::chunk_bytes));
    if (what.operands == 2) operands.emplace_back(operands[0].size());
    for (bytes& table : tables) {
      for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::byte>(i);
    }
    const auto chunks = static_cast<std::uint32_t>(operands[0].size() / detail::overlay::chunk_bytes);
    call_checked(npu, op, linear_code_of(what, chunks, share, std::bit_cast<std::uint32_t>(1.0F)), operands,
                 operands[0], tables);
  };
}

call transpose_on(const core_share& share) {
  return [share](device& npu) {
    std::vector<std::uint16_t> x(rows * columns), y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<std::uint16_t>(i % 65521);  // a prime
      y[i % columns * rows + i / columns] = x[i];
    }
    call_checked(npu, operation::transpose, transpose_code_of(rows, columns, share), std::vector<bytes>{bytes_of(x)},
                 bytes_of(y));
  };
}

/// The stub's control code, without the columns that have no work; of a column all four cores have: the work of one is
/// that of as many units, in which the three others do what does not count. The result is that of all columns.
call mel_on(const core_share& share) {
  return [share](device& npu) {
    const std::uint32_t units = mel_batches / share.count();  // of a column
    const std::uint32_t all = units * share.columns;
    std::mt19937 generator(1);
    std::vector<std::int32_t> samples(detail::overlay::mel_sample_words(all));
    std::ranges::generate(samples, [&] { return static_cast<std::int32_t>(generator() >> 3); });
    std::vector<bytes> operands{bytes_of(samples),
                                bytes(std::size_t{kernels::mel::chunks} * kernels::mel::chunk_bytes)};
    detail::put_mel_tables(1, operands[1].data());
    const std::size_t result_bytes = sizeof(float) * detail::overlay::mel_result_words(all);
    call_checked(npu, operation::mel,
                 first_columns(detail::overlay::mel_code(units * detail::overlay::columns), share.columns), operands,
                 result_of(npu, operation::mel, detail::overlay::mel_code(all), operands, result_bytes));
  };
}

std::vector<std::uint32_t> code_of(bool is_bf16, const core_share& share) {
  if (share.of_a_column == 1) return matmul_code_of(is_bf16, product, share.columns);
  using enum detail::overlay::matmul_result;
  return detail::overlay::matmul_code(detail::overlay::padded(
      {.m = product.m, .n = product.n, .k = product.k, .bf16 = is_bf16, .result = is_bf16 ? f32 : i32}));
}

/// Of factors that do not depend on k, none of them 0, whose sign would depend on the order of the sums.
template <typename Element, typename Result>
call matmul_on(const core_share& share) {
  return [share](device& npu) {
    constexpr bool is_bf16 = std::same_as<Element, bf16>;
    const auto a_of = [](std::size_t m) { return static_cast<float>(m % 7) - 7; };
    const auto b_of = [](std::size_t n) { return static_cast<float>(n % 5) + 1; };
    const auto [m, n, k] = product;
    std::vector<Element> a(m * k), b(k * n);
    std::vector<Result> c(m * n);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<Element>(a_of(i / k));
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<Element>(b_of(i % n));
    for (std::size_t i = 0; i < c.size(); ++i) {
      c[i] = static_cast<Result>(static_cast<float>(k) * a_of(i / n) * b_of(i % n));
    }
    call_checked(npu, is_bf16 ? operation::matmul_bf16 : operation::matmul_i8_i32, code_of(is_bf16, share),
                 std::vector<bytes>{bytes_of(a), bytes_of(b)}, bytes_of(c));
  };
}

/// One head and as many scores whatever the number of blocks of 64 queries: a core that has none works on zeros beside
/// the others, and a column that has none on nothing.
scaled_calls attention_on_blocks(const std::string& type, device_call (*make)(const attention_shape&)) {
  constexpr std::size_t block = 64, most_keys = 12288;
  scaled_calls all;
  for (const std::size_t blocks : {1u, 4u, 16u}) {
    const attention_shape s{.heads = 1, .rows = block * blocks, .keys = most_keys / blocks, .d = 64};
    all.push_back({fmt::format("scaling-attention-{}-{}x{}-{}-cores", type, block, most_keys, blocks),
                   [s, make](device& npu) { make(s)(npu); }});
  }
  return all;
}

template <typename Make>
scaled_calls on_shares(const std::string& what, std::span<const core_share> shares, Make make) {
  scaled_calls all;
  for (const core_share& share : shares) {
    all.push_back({fmt::format("scaling-{}-{}-cores", what, share.count()), make(share)});
  }
  return all;
}

const std::vector<scaled_calls>& all_scaled_calls() {
  const auto rows_of = [](operation op) { return [op](const core_share& share) { return rows_on(op, share); }; };
  const auto linear_of = [](operation op) { return [op](const core_share& share) { return linear_on(op, share); }; };
  const std::string tensor = fmt::format("{}x{}", rows, columns);
  const std::string shape = fmt::format("{}x{}x{}", product.m, product.n, product.k);
  static const std::vector<scaled_calls> all{
      on_shares("layernorm-" + tensor, some_cores, rows_of(operation::layernorm_bf16)),
      on_shares("softmax-" + tensor, some_cores, rows_of(operation::softmax_bf16)),
      on_shares("gelu-" + tensor, some_cores, linear_of(operation::gelu_bf16)),
      on_shares("silu-" + tensor, some_cores, linear_of(operation::silu_bf16)),
      on_shares("relu-" + tensor, some_cores, linear_of(operation::relu_bf16)),
      on_shares("scale-" + tensor, some_cores, linear_of(operation::scale_bf16)),
      on_shares("add-" + tensor, some_cores, linear_of(operation::add_bf16)),
      on_shares("copy-" + tensor, some_cores, linear_of(operation::copy)),
      on_shares("gelu-i8-" + fmt::format("{}x{}", rows, 2 * columns), some_cores, linear_of(operation::gelu_i8)),
      on_shares("transpose-" + tensor, some_cores, &transpose_on),
      on_shares(fmt::format("mel-{}-frames", 8 * mel_batches), some_cores, &mel_on),
      on_shares("matmul-i8-" + shape, matmul_cores, &matmul_on<std::int8_t, std::int32_t>),
      on_shares("matmul-bf16-" + shape, matmul_cores, &matmul_on<bf16, float>),
      attention_on_blocks("bf16", &attention_call),
      attention_on_blocks("i8", &attention_i8_call)};
  return all;
}

row measure_scaled(const scaled_call& what, double against) {
  const nlohmann::json statistics = emulator_statistics_of_self({"--call", what.name});
  const auto& last = statistics.at("commands").back();
  const double value = last.at("cycles").get<double>() / statistics.at("clock_mhz").get<double>();
  const double reference = against == 0 ? value : against;
  return {.name = what.name,
          .value = value,
          .unit = "us",
          .against = reference,
          .reference = "on one core; " + time_of_cores(last),
          .ratio = value / reference,
          .model = statistics.at("time_model")};
}

std::vector<row> measure_cores(const scaled_calls& calls) {
  std::vector<row> all;
  for (const scaled_call& what : calls) all.push_back(measure_scaled(what, all.empty() ? 0 : all.front().value));
  return all;
}

}  // namespace

std::string time_of_cores(const nlohmann::json& command) {
  double all = 0, running = 0, locks = 0, banks = 0;
  std::size_t count = 0;
  for (const auto& core : command.at("cores")) {
    constexpr double few_bundles = 200;  // of a core that looked for work and found none
    if (core.at("bundles").get<double>() < few_bundles) continue;
    ++count;
    all += core.at("cycles").get<double>();
    running += core.at("bundles").get<double>();
    locks += core.at("stalls").at("lock").get<double>();
    banks += core.at("stalls").at("memory").get<double>();
  }
  return fmt::format("{} cores: run {:.0f} %, wait for chunks {:.0f} %, for banks {:.0f} %", count, 100 * running / all,
                     100 * locks / all, 100 * banks / all);
}

std::vector<subject> scaling_subjects() {
  std::vector<subject> all;
  for (const scaled_calls& calls : all_scaled_calls()) {
    subject s{.names = {}, .measure = [&calls](const effort&) { return measure_cores(calls); }};
    for (const scaled_call& what : calls) s.names.push_back(what.name);
    all.push_back(std::move(s));
  }
  return all;
}

std::function<void(device&)> find_scaled_call(const std::string& name) {
  for (const scaled_calls& calls : all_scaled_calls()) {
    const auto found = std::ranges::find(calls, name, &scaled_call::name);
    if (found != calls.end()) return found->run;
  }
  throw std::runtime_error("there is no call " + name);
}

}  // namespace npurt::bench
