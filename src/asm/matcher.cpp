// SPDX-License-Identifier: Apache-2.0
// Matching of operand text against the syntax strings of the instruction tables.
#include "asm/matcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace npurt::assembler {
namespace {

using namespace aie::isa;

/// A piece of operand text: a word, a punctuation mark, or an immediate (the expression behind '#').
struct token {
  source_text text;
  bool immediate = false;
};

/// A piece of a syntax string: an operand, or text to be met literally.
struct pattern_piece {
  std::string_view literal;
  int operand = -1;
};
struct pattern {
  const instruction* row;
  std::vector<pattern_piece> pieces;
};

bool is_word(char c) { return is_symbol_part(c) || c == ':'; }

std::size_t word_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_word(text[length])) ++length;
  return std::max<std::size_t>(length, 1);
}

/// An immediate runs to the next comma or bracket.
std::vector<token> tokens_of(source_text rest) {
  std::vector<token> tokens;
  while (!rest.text.empty()) {
    if (rest.text[0] == '#') {
      const auto end = std::min(rest.text.find_first_of(",]", 1), rest.text.size());
      tokens.push_back({rest.part(1, end - 1), true});
      rest = rest.behind(end);
    } else {
      const auto length = word_length(rest.text);
      tokens.push_back({rest.part(0, length), false});
      rest = rest.behind(length);
    }
  }
  return tokens;
}

pattern pattern_of(const instruction& row) {
  pattern made{&row, {}};
  auto rest = trimmed(row.syntax.substr(row.mnemonic.size()), 0, 0);
  while (!rest.text.empty()) {
    if (rest.text[0] == '$') {
      const auto length = word_length(rest.text.substr(1));
      const auto op = std::ranges::find(row.operands, rest.text.substr(1, length), &operand::name);
      made.pieces.push_back({{}, static_cast<int>(op - row.operands.begin())});
      rest = rest.behind(length + 1);
    } else {
      const auto length = word_length(rest.text);
      made.pieces.push_back({rest.text.substr(0, length), -1});
      rest = rest.behind(length);
    }
  }
  return made;
}

const std::unordered_map<std::string_view, std::vector<pattern>>& patterns() {
  static const auto made = [] {
    std::unordered_map<std::string_view, std::vector<pattern>> by_mnemonic;
    for (const auto& row : instructions()) by_mnemonic[row.mnemonic].push_back(pattern_of(row));
    return by_mnemonic;
  }();
  return made;
}

std::string describe_class(class_id cls) {
  const auto& wanted = register_classes()[cls];
  const auto name = [](const class_member& m) { return registers()[m.reg].asm_name; };
  if (wanted.encode.size() == 1) return std::string(name(wanted.encode[0]));
  constexpr std::size_t shown = 12;
  std::string text = fmt::format("a register of {} (", wanted.name);
  for (std::size_t i = 0; i < std::min(shown, wanted.encode.size()); ++i)
    text += fmt::format("{}{}", i ? ", " : "", name(wanted.encode[i]));
  if (wanted.encode.size() > shown) text += fmt::format(", ... {}", name(wanted.encode.back()));
  return text + ")";
}

std::string describe_range(const operand& op) {
  const std::int64_t span = std::int64_t{1} << op.width;
  const std::int64_t low = op.is_signed ? -span / 2 : 0;
  const auto bound = [&](std::int64_t field) { return field * op.scale + op.offset; };
  const auto range = fmt::format("from {} to {}", bound(low), bound(low + span - 1));
  return op.scale == 1 ? "an immediate " + range : fmt::format("an immediate multiple of {} {}", op.scale, range);
}

/// How far a pattern matched, and what it wanted there.
struct failure {
  std::size_t progress;
  unsigned column;
  std::string expected;
};

class pattern_match {
 public:
  pattern_match(const pattern& wanted, const std::vector<token>& tokens, const source_text& whole,
                const symbol_lookup& constants)
      : wanted_(wanted), tokens_(tokens), whole_(whole), constants_(constants) {}

  std::expected<candidate, failure> run() {
    made_.instruction.row = wanted_.row;
    made_.column = whole_.column;
    for (at_ = 0; at_ < wanted_.pieces.size(); ++at_) {
      const auto& piece = wanted_.pieces[at_];
      if (at_ == tokens_.size())
        return fail(whole_.column + static_cast<unsigned>(whole_.text.size()), describe(piece));
      const auto wrong =
          piece.operand < 0 ? literal(piece.literal) : operand_at(static_cast<std::size_t>(piece.operand));
      if (wrong) return fail(tokens_[at_].text.column, *wrong);
    }
    if (tokens_.size() > at_) return fail(tokens_[at_].text.column, "the end of the instruction");
    return finished();
  }

 private:
  std::unexpected<failure> fail(unsigned column, std::string expected) const {
    return std::unexpected(failure{at_, column, std::move(expected)});
  }

  std::string describe(const pattern_piece& piece) const {
    if (piece.operand < 0) return fmt::format("'{}'", piece.literal);
    const auto& op = wanted_.row->operands[static_cast<std::size_t>(piece.operand)];
    return op.kind == operand_kind::reg ? describe_class(op.cls) : "'#' and " + describe_range(op);
  }

  std::optional<std::string> literal(std::string_view text) const {
    const auto& t = tokens_[at_];
    if (!t.immediate && t.text.text == text) return std::nullopt;
    return fmt::format("'{}'", text);
  }

  std::optional<std::string> operand_at(std::size_t which) {
    const auto& op = wanted_.row->operands[which];
    const auto& t = tokens_[at_];
    if (op.kind == operand_kind::imm) return t.immediate ? immediate(which, t.text) : describe(wanted_.pieces[at_]);
    const auto reg = t.immediate ? std::nullopt : find_member(op.cls, t.text.text);
    if (!reg) return describe(wanted_.pieces[at_]);
    made_.instruction.values[which] = *reg;
    spelt_.push_back({which, *reg, t.text.column});
    return std::nullopt;
  }

  std::optional<std::string> immediate(std::size_t which, const source_text& text) {
    const auto value = evaluate(text.text, constants_);
    if (value) return set_immediate(made_.instruction, which, *value);
    if (!value.error().unknown_symbol) {
      constexpr std::string_view expected = "expected ";  // best_error() says it
      const auto& wrong = value.error().message;
      return wrong.starts_with(expected) ? wrong.substr(expected.size()) : "a sound expression (" + wrong + ")";
    }
    made_.deferred.push_back({which, text});
    return std::nullopt;
  }

  std::expected<candidate, failure> finished() {
    complete(made_.instruction);
    for (const auto& [which, reg, column] : spelt_)
      if (made_.instruction.values[which] != reg)
        return fail(column, fmt::format("{}: this result and its source are one register",
                                        registers()[static_cast<reg_id>(made_.instruction.values[which])].asm_name));
    return std::move(made_);
  }

  struct spelt_register {
    std::size_t which;
    reg_id reg;
    unsigned column;
  };

  const pattern& wanted_;
  const std::vector<token>& tokens_;
  const source_text& whole_;
  const symbol_lookup& constants_;
  candidate made_;
  std::vector<spelt_register> spelt_;
  std::size_t at_ = 0;
};

match_error best_error(const std::vector<failure>& failures) {
  const auto furthest = std::ranges::max_element(failures, {}, &failure::progress);
  std::vector<std::string> wanted;
  for (const auto& f : failures)
    if (f.progress == furthest->progress && std::ranges::find(wanted, f.expected) == wanted.end())
      wanted.push_back(f.expected);
  return {furthest->column, fmt::format("expected {}", fmt::join(wanted, " or "))};
}

}  // namespace

std::optional<std::string> set_immediate(decoded_instruction& instruction, std::size_t which, std::int64_t value) {
  const auto& op = instruction.row->operands[which];
  const std::int64_t span = std::int64_t{1} << op.width;
  if (op.is_signed && op.width == 32 && value >= span / 2 && value < span) value -= span;  // 0xFFFF0000 and the like
  // llvm-aie's assembler takes the negative spelling of a short unsigned field, and the recorded batches use it
  // (vextbcst.16 #-16).
  if (!op.is_signed && op.offset == 0 && op.width < 20 && value < 0 && value >= -span / 2) value += span;
  const std::int64_t low = op.is_signed ? -span / 2 : 0;
  const std::int64_t scaled = value - op.offset;
  const std::int64_t field = scaled / op.scale;
  if (scaled % op.scale != 0 || field < low || field >= low + span) return describe_range(op);
  instruction.values[which] = static_cast<std::int32_t>(value);
  return std::nullopt;
}

std::expected<std::vector<candidate>, match_error> match(const source_text& text, const symbol_lookup& constants) {
  const auto end = std::min(text.text.find_first_of(" \t"), text.text.size());
  const auto known = patterns().find(text.text.substr(0, end));
  if (known == patterns().end())
    return std::unexpected(match_error{
        text.column, fmt::format("unknown instruction '{}'; expected an AIE2 mnemonic", text.text.substr(0, end))});
  const auto tokens = tokens_of(text.behind(end));
  std::vector<candidate> found;
  std::vector<failure> failures;
  for (const auto& wanted : known->second) {
    auto made = pattern_match(wanted, tokens, text, constants).run();
    if (!made) {
      failures.push_back(std::move(made.error()));
      continue;
    }
    const auto same_slot = [&](const candidate& c) { return c.instruction.row->where == made->instruction.row->where; };
    if (std::ranges::none_of(found, same_slot)) found.push_back(std::move(*made));
  }
  if (found.empty()) return std::unexpected(best_error(failures));
  return found;
}

}  // namespace npurt::assembler
