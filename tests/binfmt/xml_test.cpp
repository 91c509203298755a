// SPDX-License-Identifier: Apache-2.0
// The parser for xclbinutil's XML.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "binfmt/kernel_metadata.hpp"
#include "binfmt/xml.hpp"

using namespace npurt::binfmt;

TEST_CASE("elements, attributes and entities are read", "[binfmt][xml]") {
  const xml_element root =
      parse_xml("<?xml version=\"1.0\"?>\n<!-- c --><a x='1' y=\"&lt;&amp;&quot;\">text<b/><b z = \"2\"></b ></a>\n");
  CHECK(root.name == "a");
  REQUIRE(root.attribute("y"));
  CHECK(*root.attribute("y") == "<&\"");
  CHECK_FALSE(root.attribute("z"));
  REQUIRE(root.children.size() == 2);
  CHECK(*root.children[1].attribute("z") == "2");
  CHECK(root.child("b") == &root.children[0]);
}

TEST_CASE("text that is not well-formed is refused", "[binfmt][xml]") {
  for (const char* text :
       {"", "a", "<a>", "<a></b>", "<a x=1/>", "<a x='1' x='2'/>", "<a/><b/>", "<a>&lt;</a", "<a x='&bad;'/>",
        "<a x='<'/>", "<!DOCTYPE a><a/>", "<a", "<a x", "<a x=", "<a x='", "<!-- <a/>", "< a/>", "<a/>x"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_xml(text), format_error);
  }
}

TEST_CASE("deep nesting is refused instead of exhausting the stack", "[binfmt][xml]") {
  std::string text;
  for (int i = 0; i < 100000; ++i) {
    text += "<a>";
  }
  CHECK_THROWS_AS(parse_xml(text), format_error);
}

TEST_CASE("kernels without what XRT needs are refused", "[binfmt][xml]") {
  const auto with = [](const std::string& kernel) {
    return read_kernel_metadata("<project><platform><device><core>" + kernel + "</core></device></platform></project>");
  };
  CHECK(with("<kernel name='k'/>").size() == 1);
  CHECK(with("<kernel name='k'><extended-data functional='0' dpu_kernel_id='0x901'/></kernel>")[0].dpu_kernel_id ==
        0x901);
  CHECK_THROWS_AS(with("<kernel/>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><arg name='a'/></kernel>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><extended-data functional='0' dpu_kernel_id='0x'/></kernel>"), format_error);
  CHECK_THROWS_AS(with("<kernel name='k'><extended-data functional='9999999999' dpu_kernel_id='1'/></kernel>"),
                  format_error);
  CHECK_THROWS_AS(read_kernel_metadata("<project/>"), format_error);
}
