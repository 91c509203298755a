// SPDX-License-Identifier: Apache-2.0
// Expressions: values, precedence, errors.
#include <catch2/catch_test_macros.hpp>

#include "asm/expression.hpp"

using namespace npurt::assembler;

namespace {

std::optional<std::int64_t> one_symbol(std::string_view name) {
  return name == "seven" ? std::optional<std::int64_t>(7) : std::nullopt;
}

std::int64_t value(std::string_view text) {
  const auto v = evaluate(text, one_symbol);
  REQUIRE(v);
  return *v;
}

std::string error(std::string_view text) {
  const auto v = evaluate(text, one_symbol);
  REQUIRE_FALSE(v);
  return v.error().message;
}

}  // namespace

TEST_CASE("expressions bind as in C", "[asm]") {
  CHECK(value("1 + 2 * 3") == 7);
  CHECK(value("(1 + 2) * 3") == 9);
  CHECK(value("1 << 4 | 1") == 17);
  CHECK(value("0x10 + 0b11") == 19);
  CHECK(value("-4 - -2") == -2);
  CHECK(value("100 - 10 - 1") == 89);
  CHECK(value("~0 & 0xff") == 255);
  CHECK(value("6 ^ 3") == 5);
  CHECK(value("-16 >> 2") == -4);
  CHECK(value("17 / 5 + 17 % 5") == 5);
  CHECK(value("seven * 2") == 14);
  CHECK(value("0xffffffffffffffff") == -1);
}

TEST_CASE("faulty expressions say what is wrong", "[asm]") {
  CHECK(error("1 +") == "expected a number, a symbol or '('");
  CHECK(error("(1") == "expected ')'");
  CHECK(error("1 2") == "expected an operator (+ - * / % << >> & | ^) or the end of the expression");
  CHECK(error("1 / 0") == "division by zero");
  CHECK(error("1 << 64") == "a shift amount must be from 0 to 63");
  CHECK(error("12x") == "unexpected character in a number");
  CHECK(error("0x") == "expected digits");
  CHECK(error("99999999999999999999") == "number does not fit 64 bits");
  CHECK(error(std::string(100'000, '(')) == "expression nested too deeply");
  CHECK(error("") == "expected a number, a symbol or '('");
}

TEST_CASE("an unknown symbol is told from a syntax error", "[asm]") {
  const auto v = evaluate("1 + eight", one_symbol);
  REQUIRE_FALSE(v);
  CHECK(v.error().unknown_symbol);
  CHECK(v.error().offset == 4);
  CHECK_FALSE(evaluate("eight +", one_symbol).error().unknown_symbol);
}

TEST_CASE("extreme divisions have values", "[asm]") {
  CHECK(value("(-0x7fffffffffffffff - 1) / -1") == INT64_MIN);
  CHECK(value("(-0x7fffffffffffffff - 1) % -1") == 0);
}
