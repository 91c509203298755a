// SPDX-License-Identifier: Apache-2.0
// A strict recursive parser; its depth is bounded, its memory by the text.
#include "binfmt/xml.hpp"

#include <algorithm>

namespace npurt::binfmt {

namespace {

constexpr int deepest = 32;
constexpr std::size_t most_attributes = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == ':' || c == '.';
}

class parser {
 public:
  parser(std::string_view text, std::size_t base) : text_(text), base_(base) {}

  xml_element document() {
    skip_misc();
    xml_element root = element(0);
    skip_misc();
    if (at_ != text_.size()) {
      fail("text after the root element");
    }
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw format_error("XML: " + message, base_ + at_); }

  bool starts(std::string_view s) const { return text_.substr(at_).starts_with(s); }

  char peek() const {
    if (at_ >= text_.size()) {
      fail("ends too early");
    }
    return text_[at_];
  }

  void expect(std::string_view s) {
    if (!starts(s)) {
      fail("expected '" + std::string(s) + "'");
    }
    at_ += s.size();
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
  }

  void skip_past(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) {
      fail("no '" + std::string(end) + "'");
    }
    at_ = found + end.size();
  }

  /// Space, comments and processing instructions such as the XML declaration.
  void skip_misc() {
    for (;;) {
      skip_space();
      if (starts("<?")) {
        skip_past("?>");
      } else if (starts("<!--")) {
        skip_past("-->");
      } else {
        return;
      }
    }
  }

  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name(text_[at_])) {
      ++at_;
    }
    if (at_ == start) {
      fail("expected a name");
    }
    return std::string(text_.substr(start, at_ - start));
  }

  char entity() {
    constexpr std::pair<std::string_view, char> entities[]{
        {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (const auto& [text, c] : entities) {
      if (starts(text)) {
        at_ += text.size();
        return c;
      }
    }
    fail("unknown entity");
  }

  std::string quoted() {
    const char quote = peek();
    if (quote != '"' && quote != '\'') {
      fail("expected a quoted value");
    }
    ++at_;
    std::string value;
    while (peek() != quote) {
      if (peek() == '<') {
        fail("'<' in a value");
      }
      value += peek() == '&' ? entity() : text_[at_++];
    }
    ++at_;
    return value;
  }

  xml_element element(int depth) {
    if (depth >= deepest) {
      fail("nested too deeply");
    }
    xml_element e;
    e.offset = base_ + at_;
    expect("<");
    e.name = name();
    for (skip_space(); peek() != '/' && peek() != '>'; skip_space()) {
      std::string key = name();
      if (e.attribute(key) != nullptr) {
        fail("attribute '" + key + "' twice");
      }
      if (e.attributes.size() == most_attributes) {
        fail("too many attributes");
      }
      skip_space();
      expect("=");
      skip_space();
      e.attributes.emplace_back(std::move(key), quoted());
    }
    if (starts("/>")) {
      at_ += 2;
      return e;
    }
    expect(">");
    content(e, depth);
    return e;
  }

  void content(xml_element& e, int depth) {
    for (;;) {
      while (peek() != '<') {
        ++at_;
      }
      if (starts("</")) {
        at_ += 2;
        if (name() != e.name) {
          fail("end of another element than '" + e.name + "'");
        }
        skip_space();
        expect(">");
        return;
      }
      if (starts("<!--")) {
        skip_past("-->");
      } else if (starts("<?")) {
        skip_past("?>");
      } else {
        e.children.push_back(element(depth + 1));
      }
    }
  }

  std::string_view text_;
  std::size_t base_;
  std::size_t at_ = 0;
};

}  // namespace

const std::string* xml_element::attribute(std::string_view key) const {
  const auto at = std::ranges::find_if(attributes, [&](const auto& a) { return a.first == key; });
  return at == attributes.end() ? nullptr : &at->second;
}

const xml_element* xml_element::child(std::string_view child_name) const {
  const auto at = std::ranges::find(children, child_name, &xml_element::name);
  return at == children.end() ? nullptr : &*at;
}

xml_element parse_xml(std::string_view text, std::size_t base) { return parser(text, base).document(); }

}  // namespace npurt::binfmt
