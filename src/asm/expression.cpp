// SPDX-License-Identifier: Apache-2.0
// Recursive-descent evaluation of expressions.
#include "asm/expression.hpp"

#include <array>
#include <cctype>
#include <charconv>

namespace npurt::assembler {
namespace {

constexpr int max_depth = 64;  // of parentheses and signs: keeps hostile input off the stack

struct binary_operator {
  std::string_view text;
  int strength;
};
constexpr std::array<binary_operator, 10> operators{
    {{"<<", 4}, {">>", 4}, {"|", 1}, {"^", 2}, {"&", 3}, {"+", 5}, {"-", 5}, {"*", 6}, {"/", 6}, {"%", 6}}};

class evaluator {
 public:
  evaluator(std::string_view text, const symbol_lookup& lookup) : text_(text), lookup_(lookup) {}

  std::expected<std::int64_t, expression_error> run() {
    const auto value = binary(1);
    skip_space();
    if (!error_ && at_ != text_.size())
      fail("expected an operator (+ - * / % << >> & | ^) or the end of the expression");
    if (error_) return std::unexpected(*error_);
    if (unknown_) return std::unexpected(*unknown_);
    return value;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  std::int64_t fail(std::string message) {
    if (!error_) error_ = expression_error{at_, std::move(message), false};
    return 0;
  }

  const binary_operator* next_operator() {
    skip_space();
    for (const auto& op : operators)
      if (text_.substr(at_).starts_with(op.text)) return &op;
    return nullptr;
  }

  std::int64_t binary(int weakest) {
    auto left = unary();
    while (!error_) {
      const auto* op = next_operator();
      if (!op || op->strength < weakest) break;
      at_ += op->text.size();
      left = apply(op->text, left, binary(op->strength + 1));
    }
    return left;
  }

  std::int64_t apply(std::string_view op, std::int64_t a, std::int64_t b) {
    const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
    switch (op[0]) {
      case '+':
        return static_cast<std::int64_t>(x + y);
      case '-':
        return static_cast<std::int64_t>(x - y);
      case '*':
        return static_cast<std::int64_t>(x * y);
      case '&':
        return a & b;
      case '|':
        return a | b;
      case '^':
        return a ^ b;
      case '<':
      case '>':
        if (b < 0 || b > 63) return unknown_ ? 0 : fail("a shift amount must be from 0 to 63");
        return op[0] == '<' ? static_cast<std::int64_t>(x << b) : a >> b;
      default:
        if (b == 0) return unknown_ ? 0 : fail("division by zero");
        if (b == -1) return op[0] == '/' ? static_cast<std::int64_t>(0 - x) : 0;
        return op[0] == '/' ? a / b : a % b;
    }
  }

  std::int64_t unary() {
    if (++depth_ > max_depth) return fail("expression nested too deeply");
    const auto value = unary_within_depth();
    --depth_;
    return value;
  }

  std::int64_t unary_within_depth() {
    skip_space();
    if (at_ == text_.size()) return fail("expected a number, a symbol or '('");
    const char c = text_[at_];
    if (c == '-' || c == '+' || c == '~') {
      ++at_;
      const auto value = unary();
      if (c == '+') return value;
      return c == '~' ? ~value : static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(value));
    }
    if (c == '(') {
      ++at_;
      const auto value = binary(1);
      skip_space();
      if (error_) return 0;
      if (at_ == text_.size() || text_[at_] != ')') return fail("expected ')'");
      ++at_;
      return value;
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return number();
    if (is_symbol_start(c)) return symbol();
    return fail("expected a number, a symbol or '('");
  }

  std::int64_t number() {
    int base = 10;
    auto digits = text_.substr(at_);
    if (digits.starts_with("0x") || digits.starts_with("0X")) base = 16;
    if (digits.starts_with("0b") || digits.starts_with("0B")) base = 2;
    const std::size_t prefix = base == 10 ? 0 : 2;
    std::uint64_t value = 0;
    const auto [end, status] = std::from_chars(digits.data() + prefix, digits.data() + digits.size(), value, base);
    if (status == std::errc::result_out_of_range) return fail("number does not fit 64 bits");
    if (status != std::errc{}) return fail("expected digits");
    const auto length = static_cast<std::size_t>(end - digits.data());
    if (length < digits.size() && is_symbol_part(digits[length])) {
      at_ += length;
      return fail("unexpected character in a number");
    }
    at_ += length;
    return static_cast<std::int64_t>(value);
  }

  std::int64_t symbol() {
    const auto start = at_;
    while (at_ < text_.size() && is_symbol_part(text_[at_])) ++at_;
    const auto name = text_.substr(start, at_ - start);
    // One unknown symbol decides. Asking for more would double the work at every level of symbols set from symbols.
    if (unknown_) return 0;
    if (const auto value = lookup_(name)) return *value;
    unknown_ = expression_error{start, "unknown symbol '" + std::string(name) + "'", true};
    return 0;
  }

  std::string_view text_;
  const symbol_lookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<expression_error> error_, unknown_;
};

}  // namespace

bool is_symbol_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }
bool is_symbol_part(char c) { return is_symbol_start(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '$'; }

std::expected<std::int64_t, expression_error> evaluate(std::string_view text, const symbol_lookup& lookup) {
  return evaluator(text, lookup).run();
}

}  // namespace npurt::assembler
