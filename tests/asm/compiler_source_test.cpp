// SPDX-License-Identifier: Apache-2.0
// What compilers and hand-writers put around instructions: directives of llvm-aie's output, local labels, data.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "asm/assembler.hpp"

using namespace npurt::assembler;

namespace {

program good(std::string_view source) {
  auto made = assemble(source, "f.s");
  if (!made) FAIL(to_string(made.error().front()));
  return std::move(*made);
}

const section& named(const program& p, std::string_view name) {
  for (const auto& s : p.sections)
    if (s.name == name) return s;
  FAIL("no section " << name);
  return p.sections[0];
}

std::vector<std::uint8_t> data(const std::string& directives) {
  return named(good(".data\n" + directives + "\n"), ".data").bytes;
}

using bytes = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("a function as the compiler writes it assembles", "[asm]") {
  const auto p = good(R"(	.text
	.file	"scale.cc"
	.section	.text._Z5scalei,"axG",@progbits,_Z5scalei,comdat
	.weak	_Z5scalei                       // -- Begin function _Z5scalei
	.p2align	4
	.type	_Z5scalei,@function
_Z5scalei:                              // @_Z5scalei
	.cfi_startproc
// %bb.0:                               // %entry
	nopa	;		mul	r0, r1, r0
	ret	lr
	mova	r1, #2                          //  Delay Slot 5
	nop	;		movxm	p0, #(table+4)              //  Delay Slot 4
	lda	 r2, [p0], #4;		nopx	        // 4-byte Folded Reload Delay Slot 3
	nop	                                //  Delay Slot 2
	nop	                                //  Delay Slot 1
.Lfunc_end0:
	.size	_Z5scalei, .Lfunc_end0-_Z5scalei
	.cfi_endproc
                                        // -- End function
	.type	table,@object                   // @table
	.section	.rodata.cst16,"aM",@progbits,16
	.globl	table
	.p2align	5
table:
	.long	1
	.long	2                               // 0x2
	.size	table, 8
	.section	".linker-options","e",@llvm_linker_options
	.ident	"clang version 20.0.0"
	.section	.debug_info,"",@progbits
	.uleb128 7
	.section	".note.GNU-stack","",@progbits
	.addrsig
	.addrsig_sym table
)");
  const auto* f = p.find("_Z5scalei");
  REQUIRE(f);
  CHECK(f->global);
  CHECK(f->size == named(p, ".text._Z5scalei").bytes.size());
  REQUIRE(p.find("table"));
  CHECK(p.find("table")->value == 0x70000);
  CHECK(p.find("table")->size == 8);
  CHECK(named(p, ".rodata.cst16").bytes == bytes{1, 0, 0, 0, 2, 0, 0, 0});
  for (const auto& s : p.sections) CHECK_FALSE((s.name == ".debug_info" || s.name == ".linker-options"));
}

TEST_CASE("numeric labels are local, the point is here", "[asm]") {
  CHECK(good("1: nop\nj #1b\nj #1f\nnop\n1: j #1b\n").sections[0].bytes ==
        good("a: nop\nj #a\nj #b\nnop\nb: j #b\n").sections[0].bytes);
  CHECK(good("nop\nj #.\n").sections[0].bytes == good("nop\nj #2\n").sections[0].bytes);
  CHECK(good("nop\nj #. + 4 * 2\n").sections[0].bytes == good("nop\nj #10\n").sections[0].bytes);
  CHECK(good("f: nop\nnop\n.size f, .-f\n").find("f")->size == 4);
}

TEST_CASE("repetition, assignment and preprocessor lines", "[asm]") {
  CHECK(good("# 1 \"f.S\"\ncount = 3\n.rept count\nadd r0, r0, #count\n.endr\nnop\n").sections[0].bytes ==
        good("add r0, r0, #3\nadd r0, r0, #3\nadd r0, r0, #3\nnop\n").sections[0].bytes);
  CHECK(good(".rept 2\n1: nop\n.rept 2\nj #1b\n.endr\n.endr\n").sections[0].bytes ==
        good("nop\nj #0\nj #0\na: nop\nj #a\nj #a\n").sections[0].bytes);
  CHECK_FALSE(assemble(".rept 2\nnop\n", "f.s"));
  CHECK_FALSE(assemble(".rept 1000000000\nnop\n.endr\n", "f.s"));
}

TEST_CASE("data directives of all widths", "[asm]") {
  CHECK(data(".byte 1, -1, 0xff") == bytes{1, 255, 255});
  CHECK(data(".hword 0x1234") == bytes{0x34, 0x12});
  CHECK(data(".quad -2") == bytes{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  CHECK(data(".float 1.0, -2") == bytes{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0});  // IEEE 754
  CHECK(data(".ascii \"a\\n\\\"\\x41\\101\"") == bytes{'a', '\n', '"', 'A', 'A'});
  CHECK(data(".asciz \"// no ; comment\"").size() == 16);
  CHECK(data(".fill 2, 2, 0x102") == bytes{2, 1, 2, 1});
  CHECK(data(".skip 2, 7") == bytes{7, 7});
  CHECK(data(".word end - begin\nbegin: .byte 0\nend:") == bytes{1, 0, 0, 0, 0});
}

TEST_CASE("data behind a hardware loop gets its values", "[asm]") {
  const auto code = good(R"(movxm ls, #.La
movxm le, #.Lb
mova lc, #2
.La: nop
.rept 6
nop
.endr
.Lb: nop
.word 0x11223344
)")
                        .sections[0]
                        .bytes;
  REQUIRE(code.size() > 4);
  CHECK(bytes(code.end() - 4, code.end()) == bytes{0x44, 0x33, 0x22, 0x11});
}

TEST_CASE("sections are left and come back", "[asm]") {
  const auto p =
      good(".data\n.byte 1\n.pushsection .rodata\n.byte 2\n.popsection\n.byte 3\n.comm shared, 64, 32\n.byte 4\n");
  CHECK(named(p, ".data").bytes == bytes{1, 3, 4});
  CHECK(named(p, ".rodata").bytes == bytes{2});
  REQUIRE(p.find("shared"));
  CHECK(p.find("shared")->global);
  CHECK(p.find("shared")->value % 32 == 0);
}

TEST_CASE("bad directives are told with what is legal", "[asm]") {
  const auto first = [](std::string_view source) {
    const auto p = assemble(source, "f.s");
    REQUIRE_FALSE(p);
    return p.error().front().message;
  };
  CHECK(first(".type f, function\n").find("@function") != std::string::npos);
  CHECK(first(".data\n.float 1.x\n").find("floating point") != std::string::npos);
  CHECK(first(".data\n.ascii \"\\q\"\n").find("escapes") != std::string::npos);
  CHECK(first("nop\n.endr\n").find("expected a .rept") != std::string::npos);
  CHECK(first(".file \"a\\\nnop // comment\nfrob // comment\n").find("'frob'") != std::string::npos);
  CHECK(first(".popsection\n").find(".pushsection") != std::string::npos);
  CHECK(first(".section .x, \"q\"\n").find("flags") != std::string::npos);
  CHECK(first(".size f, .-f\n").find("unknown symbol 'f'") != std::string::npos);
  CHECK(first("j #1b\n").find("unknown symbol") != std::string::npos);
}

TEST_CASE(".comm leaves the section that .previous goes back to", "[asm]") {
  const auto p = good(".data\n.byte 1\n.text\nnop\n.comm shared, 64\n.previous\n.byte 2\n");
  CHECK(named(p, ".data").bytes == bytes{1, 2});
}
