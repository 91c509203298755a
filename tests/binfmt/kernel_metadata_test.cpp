// SPDX-License-Identifier: Apache-2.0
// Kernels and arguments in xclbinutil's XML, and XML that is refused.
#include "binfmt/kernel_metadata.hpp"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace npurt::binfmt;

namespace {

std::string core(const std::string& kernels) {
  return "<project><platform><device><core>" + kernels + "</core></device></platform></project>";
}

std::vector<kernel_metadata> with(const std::string& kernels) { return read_kernel_metadata(core(kernels)); }

std::size_t offset_of_error(const std::string& text, std::size_t base) {
  try {
    read_kernel_metadata(text, base);
  } catch (const format_error& failure) {
    return failure.offset();
  }
  return 0;
}

}  // namespace

TEST_CASE("kernels, arguments in the order of their ids, and instances are read", "[binfmt][kernel_metadata]") {
  const auto kernels = read_kernel_metadata(
      "<?xml version=\"1.0\"?>\n<!-- c -->" +
      core("text<kernel name='a&lt;&amp;&quot;'>"
           "<extended-data functional='1' dpu_kernel_id='0x901'/>"
           "<arg name='second' addressQualifier='1' id='1' size='0x8' offset='0x10' type='void*'/>"
           "<arg name=\"first\" addressQualifier=\"0\" id=\"0\" size=\"4\" offset=\"0\" type=\"uint32_t\" ></arg >"
           "<instance name='i0'/><instance name='i1'/></kernel>") +
      "\n");
  REQUIRE(kernels.size() == 1);
  CHECK(kernels[0].name == "a<&\"");
  CHECK(kernels[0].functional == 1);
  CHECK(kernels[0].dpu_kernel_id == 0x901);
  REQUIRE(kernels[0].arguments.size() == 2);
  CHECK(kernels[0].arguments[0].name == "first");
  CHECK(kernels[0].arguments[1].address_qualifier == 1);
  CHECK(kernels[0].arguments[1].size == 8);
  CHECK(kernels[0].arguments[1].offset == 16);
  CHECK(kernels[0].instances == std::vector<std::string>{"i0", "i1"});
}

TEST_CASE("text that is not well-formed is refused", "[binfmt][kernel_metadata]") {
  const std::string good = core("");
  REQUIRE_NOTHROW(read_kernel_metadata(good));
  for (const std::string& text :
       {std::string(), std::string("project"), std::string("<project>"), good.substr(0, good.size() - 1),
        std::string("<!-- ") + good, good + good, core("<a></b>"), core("<a x=1/>"), core("<a x='1' x='2'/>"),
        core("<a"), core("<a x"), core("<a x="), core("<a x='"), core("< a/>"), core("<a>")}) {
    INFO(text);
    CHECK_THROWS_AS(read_kernel_metadata(text), format_error);
  }
}

TEST_CASE("deep nesting is refused before XRT's parser recurses into it", "[binfmt][kernel_metadata]") {
  std::string open, close;
  for (int level = 0; level < 100000; ++level) {
    open += "<a>";
    close += "</a>";
  }
  CHECK_THROWS_AS(with(open + close), format_error);
  CHECK_THROWS_AS(with(open), format_error);
}

TEST_CASE("elements with unreasonably many attributes are refused", "[binfmt][kernel_metadata]") {
  std::string attributes;
  for (int count = 0; count < 40; ++count) {
    attributes += " a" + std::to_string(count) + "='1'";
  }
  CHECK_THROWS_AS(with("<kernel name='k'" + attributes + "/>"), format_error);
}

TEST_CASE("kernels without what XRT needs are refused", "[binfmt][kernel_metadata]") {
  CHECK(with("<kernel name='k'/>").size() == 1);
  CHECK_THROWS_AS(with("<kernel/>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><arg name='a'/></kernel>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><extended-data functional='0' dpu_kernel_id='0x'/></kernel>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><extended-data functional='9999999999' dpu_kernel_id='1'/></kernel>"),
                  format_error);
  CHECK_THROWS_AS(read_kernel_metadata("<project/>"), format_error);
  CHECK_THROWS_AS(read_kernel_metadata("<other><platform/></other>"), format_error);
}

TEST_CASE("an error's offset is that of the element in the file", "[binfmt][kernel_metadata]") {
  const std::string text = core("<kernel name='k'><arg name='a'/></kernel>");
  const std::size_t at = text.find("<arg");
  const std::size_t found = offset_of_error(text, 1000);
  CHECK(found >= 1000 + at);
  CHECK(found <= 1000 + at + 4);
}

TEST_CASE("metadata of more than 16 MiB is refused", "[binfmt][kernel_metadata]") {
  CHECK_THROWS_AS(read_kernel_metadata(std::string((1u << 24) + 1, ' ')), format_error);
}
