// SPDX-License-Identifier: Apache-2.0
// npurt::executor where there is no device: what falls back, what does not, and what is said about it.
#include "npurt/executor.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/sinks/ostream_sink.h>
#include <catch2/catch_test_macros.hpp>

#include "npurt/npurt.hpp"
#include "runtime/log.hpp"

using npurt::executor, npurt::fallback_cause, npurt::tensor_view, npurt::where;

namespace {

constexpr unsigned no_such_index = 1000;  // of an NPU, wherever the test runs

/// What is logged during its life, in the place of stderr.
class captured_log {
 public:
  captured_log()
      : level_(npurt::detail::log().level()),
        sinks_(std::exchange(npurt::detail::log().sinks(), {std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)})) {
    npurt::detail::log().set_level(spdlog::level::warn);
  }
  ~captured_log() {
    npurt::detail::log().sinks() = sinks_;
    npurt::detail::log().set_level(level_);
  }
  captured_log(const captured_log&) = delete;
  captured_log& operator=(const captured_log&) = delete;

  std::string text() const { return text_.str(); }
  std::size_t lines() const { return static_cast<std::size_t>(std::ranges::count(text(), '\n')); }

 private:
  std::ostringstream text_;
  spdlog::level::level_enum level_;
  std::vector<spdlog::sink_ptr> sinks_;
};

struct operands {
  std::vector<std::bfloat16_t> x{npurt::to_bfloat16(-1), npurt::to_bfloat16(2)}, y = x;

  const npurt::op_report& relu(executor& on) { return npurt::relu(on, tensor_view(x, 2), tensor_view(y, 2)); }
};

}  // namespace

TEST_CASE("an executor that prefers an NPU that is not there says so in its reports and once in the log",
          "[cpu][executor]") {
  const captured_log log;
  executor on(where::prefer_npu, no_such_index);
  CHECK(on.missing() == fallback_cause::no_device);
  CHECK_FALSE(on.has_npu());
  CHECK_THROWS_AS(on.npu(), npurt::no_device_error);
  operands with;
  for (int call = 0; call < 3; ++call) {
    const npurt::op_report& report = with.relu(on);
    CHECK(report.device_name == "cpu");
    CHECK(report.fallback == fallback_cause::no_device);
    CHECK_FALSE(report.kernel.empty());
    CHECK(report.xclbin.empty());
    CHECK_FALSE(report.emulated);
    CHECK(npurt::to_float(with.y[0]) == 0);
    CHECK(npurt::to_float(with.y[1]) == 2);
  }
  INFO(log.text());
  CHECK(log.lines() == 1);
  CHECK(log.text().contains(describe(fallback_cause::no_device)));
}

TEST_CASE("an executor that wants the NPU alone throws what a device throws", "[cpu][executor]") {
  CHECK_THROWS_AS(executor(where::npu_only, no_such_index), npurt::no_device_error);
}

TEST_CASE("an executor on the CPU asks for no device and falls back from none", "[cpu][executor]") {
  const captured_log log;
  executor on(where::cpu, no_such_index);
  operands with;
  CHECK(with.relu(on).fallback == fallback_cause::none);
  CHECK(with.relu(on).device_name == "cpu");
  CHECK(on.missing() == fallback_cause::none);
  CHECK(on.choice() == where::cpu);
  CHECK_THROWS_AS(on.npu(), npurt::no_device_error);
  CHECK(log.lines() == 0);
}

TEST_CASE("wrong arguments are thrown wherever the call would run", "[cpu][executor]") {
  for (const where choice : {where::cpu, where::prefer_npu}) {
    executor on(choice, no_such_index);
    std::vector<std::bfloat16_t> x(6), y(4);
    std::vector<std::int8_t> a(6), c(4);
    std::vector<float> pcm(400), mel(160);
    const auto dimension = [](auto&& call) -> std::string {
      try {
        call();
      } catch (const npurt::shape_error& failure) {
        return failure.dimension();
      } catch (const npurt::value_error&) {
        return "value";
      }
      return "accepted";
    };
    const auto row = tensor_view(std::span(x).first(3), 3);
    const tensor_view wide(x, 2, 3), small(y, 2, 2);
    const tensor_view head(x, 1, 2, 3);
    CHECK(dimension([&] { npurt::gelu(on, wide, tensor_view(y, 4, 1)); }) == "extent 0");
    CHECK(dimension([&] {
            npurt::relu(on, tensor_view(std::span(x).first(0), 0), tensor_view(std::span(y).first(0), 0));
          }) == "size");
    CHECK(dimension([&] { npurt::layernorm(on, wide, row, row, 0, wide); }) == "value");
    CHECK(dimension([&] { npurt::layernorm(on, wide, tensor_view(y, 4), row, 1, wide); }) == "C");
    CHECK(dimension([&] { npurt::softmax(on, wide, wide, {.length = 4}); }) == "value");
    CHECK(dimension([&] { npurt::softmax(on, wide, small, wide); }) == "C");
    CHECK(dimension([&] { npurt::transpose(on, wide, tensor_view(x, 2, 3)); }) == "C");
    CHECK(dimension([&] { npurt::matmul(on, wide, wide, small); }) == "K");
    CHECK(dimension([&] { npurt::matmul(on, wide, tensor_view(x, 3, 2), small, {.bias = x}); }) == "N");
    CHECK(dimension([&] {
            npurt::matmul(on, tensor_view(a, 2, 3), tensor_view(a, 3, 2), tensor_view(c, 2, 2), {.scales = {}});
          }) == "N");
    CHECK(dimension([&] { npurt::attention(on, head, head, head, head, {.key_length = 3}); }) == "value");
    CHECK(dimension([&] { npurt::attention(on, head, head, tensor_view(x, 2, 1, 3), head); }) == "H");
    CHECK(dimension([&] {
            npurt::attention_i8(on, tensor_view(a, 1, 2, 3), tensor_view(a, 1, 2, 3), tensor_view(a, 1, 2, 3), {.q = 0},
                                head);
          }) == "value");
    CHECK(dimension([&] { npurt::gelu_i8(on, tensor_view(a, 6), 0, tensor_view(a, 6), 1); }) == "value");
    CHECK(dimension([&] { npurt::mel(on, tensor_view(pcm, 400), tensor_view(mel, 2, 80)); }) == "bands");
    pcm[7] = std::numeric_limits<float>::infinity();
    CHECK(dimension([&] { npurt::mel(on, tensor_view(pcm, 400), tensor_view(mel, 80, 2)); }) == "value");
  }
}

TEST_CASE("an executor that was moved from says so", "[cpu][executor]") {
  executor first(where::cpu);
  const executor second(std::move(first));
  operands with;
  CHECK_THROWS_AS(with.relu(first), npurt::moved_from_error);
  CHECK(second.choice() == where::cpu);
}

TEST_CASE("every cause of a fallback has words of its own", "[cpu][executor]") {
  std::vector<std::string> all;
  for (int cause = 0; cause <= 4; ++cause) all.push_back(describe(static_cast<fallback_cause>(cause)));
  std::ranges::sort(all);
  CHECK(std::ranges::adjacent_find(all) == all.end());
}
