// SPDX-License-Identifier: Apache-2.0
// What the overlay's control code refuses to be asked, below the stubs that check most of it first.
#include <cstdint>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/op_code.hpp"
#include "npurt/npurt.hpp"
#include "runtime/overlay/attention_code.hpp"
#include "runtime/overlay/linear_code.hpp"
#include "runtime/overlay/matmul_job.hpp"
#include "runtime/overlay/mel_code.hpp"
#include "runtime/overlay/page_loader.hpp"
#include "support/refused_dimension.hpp"
#include "support/xclbin_bytes.hpp"

using namespace npurt;
using namespace npurt::detail::overlay;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

auto says(const char* text) { return MessageMatches(ContainsSubstring(text)); }

matmul_job small_bf16() { return {.m = 256, .n = 256, .k = 64, .bf16 = true, .result = matmul_result::f32}; }

}  // namespace

TEST_CASE("element-wise operations are found by name, number and function, or refused", "[runtime][overlay]") {
  CHECK(linear_named("add").op == operation::add_bf16);
  CHECK_THROWS_MATCHES(linear_named("sub"), value_error, says("no element-wise operation is named sub"));
  CHECK_THROWS_MATCHES(linear_of(operation::softmax_bf16), value_error, says("is not element-wise"));
  CHECK_THROWS_MATCHES(linear_of(static_cast<elementwise>(99)), value_error, says("no such function"));
  CHECK_THROWS_MATCHES(linear_code(linear_named("relu"), 0), error, says("0 pairs of chunks, a call takes 1 to 256"));
  CHECK_THROWS_MATCHES(linear_code(linear_named("add"), 513), error, says("513 pairs"));
}

TEST_CASE("a product's job names what does not go together", "[runtime][overlay]") {
  const auto refused = [](const char* why, const auto& change) {
    matmul_job job = small_bf16();
    change(job);
    CHECK_THROWS_MATCHES(padded(job), value_error, says(why));
  };
  refused("are for bf16", [](matmul_job& job) {
    job.bf16 = false;
    job.gelu = true;
  });
  refused("a transposed B takes no residual", [](matmul_job& job) {
    job.b_transposed = true;
    job.residual = matmul_residual::bf16;
  });
  refused("a residual of fp32 is for a result of fp32", [](matmul_job& job) {
    job.result = matmul_result::bf16;
    job.residual = matmul_residual::f32;
  });
  refused("the rows of A are 63 elements apart", [](matmul_job& job) { job.a_pitch = 63; });
  refused("the rows of B are 257 elements apart", [](matmul_job& job) { job.b_pitch = 257; });
  refused("the rows of C are 2097152 elements apart", [](matmul_job& job) { job.c_pitch = 2u << 20; });
  matmul_job job = small_bf16();
  job.residual = static_cast<matmul_residual>(9);
  CHECK_THROWS_MATCHES(extra_chunks(job), error, says("no such residual"));
}

TEST_CASE("attention and mel name the extent that a call does not take", "[runtime][overlay]") {
  const auto refused = [](std::uint32_t heads, std::uint32_t queries, std::uint32_t keys) {
    return test::refused_dimension([&] { attention_code({.heads = heads, .queries = queries, .keys = keys}); });
  };
  CHECK(refused(0, 64, 64) == "heads");
  CHECK(refused(1, 0, 64) == "T");
  CHECK(refused(1, 64, 0) == "S");
  CHECK(test::refused_dimension([] { mel_code(0); }) == "n");
  CHECK(test::refused_dimension([] { mel_code(1u << 20); }) == "n");
}

TEST_CASE("types that there are not are refused", "[runtime][overlay]") {
  CHECK_THROWS_MATCHES(npurt::detail::matmul_op_code(static_cast<npurt::detail::matmul_types>(9), {256, 256, 64}),
                       value_error, says("no such types"));
}

TEST_CASE("an overlay without its pages of code, or with damaged ones, is an xclbin_error", "[runtime][overlay]") {
  constexpr std::uint32_t user_metadata = 16;  // xclbin.h: USER_METADATA
  const auto whole = test::read_prebuilt("overlay");
  CHECK_FALSE(read_pages(npurt::xclbin(whole)).pages.empty());
  CHECK_THROWS_MATCHES(read_pages(npurt::xclbin(test::without_section(whole, user_metadata))), xclbin_error,
                       says("it has no section USER_METADATA"));
  auto damaged = whole;
  test::put<std::uint32_t>(damaged, test::section_of(damaged, user_metadata), 0);
  CHECK_THROWS_MATCHES(read_pages(npurt::xclbin(damaged)), xclbin_error, says("USER_METADATA: "));
}
