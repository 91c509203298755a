// SPDX-License-Identifier: Apache-2.0
// Wrong core programs: each ends its command with an error that says where and why, and the next command runs.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "asm/assembler.hpp"
#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using emu::command_outcome;

namespace {

words program(const std::string& source) {
  const auto assembled = assembler::assemble(source, "test");
  if (!assembled) FAIL(to_string(assembled.error().front()));
  const auto& bytes = assembled->sections.at(0).bytes;
  words code((bytes.size() + 3) / 4);
  std::memcpy(code.data(), bytes.data(), bytes.size());
  return code;
}

/// Compute unit 0 starts `code` on core (0,2), which the relay of compute unit 1 leaves alone.
struct machine {
  explicit machine(const words& code) : src(host.add(src_address, 640)), dst(host.add(dst_address, 640)) {
    src = pattern(640);
    // The relay has no free buffer: only the core can end the command.
    pdi_builder wrong = relay(64, 0);
    wrong.block(core2, 0x20000, code).write(core2, 0x32000, 2).write(core2, 0x32000, 0).write(core2, 0x32000, 1);
    REQUIRE(npu.configure_cu(context, 0, wrong.build()).empty());
    REQUIRE(npu.configure_cu(context, 1, relay(64).build()).empty());
  }
  emu::command_result run(std::uint32_t cu) {
    const auto code = transfer(640).build();
    return npu.execute(context, {.cu = cu, .control_code = code, .arguments = {src_address, dst_address}});
  }
  void check_next_command() {
    const auto result = run(1);
    INFO(result.report);
    CHECK(result.outcome == command_outcome::completed);
    CHECK(dst == src);
  }

  host_memory host;
  words& src;
  words& dst;
  emu::npu npu{host};
  emu::context_id context = *npu.create_context(1);
};

struct wrong_program {
  const char* what;
  words code;
  const char* pc;
  const char* bundle;
  const char* cause;
};

std::string nops(int count) {
  std::string text;
  while (count-- > 0) text += "nop\n";
  return text;
}

}  // namespace

TEST_CASE("a wrong core program ends its command with tile, pc, bundle and cause, and the next command runs",
          "[emu][firmware][wrong]") {
  for (const wrong_program& wrong : {
           wrong_program{"illegal bundle",
                         {0xFFFFFFC0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
                         "pc 0x0,",
                         "c0 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
                         "illegal bundle"},
           // movxm is 6 bytes, nop 2, j with a register 4; after its five delay slots.
           {"pc outside program memory", program("movxm p0, #0x8000\n" + nops(2) + "j p0\n" + nops(6)), "pc 0x8000,",
            "", "fetch: pc 0x8000 is outside program memory"},
           {"unaligned access", program("movxm p0, #0x70002\n" + nops(1) + "lda r1, [p0, #0]\n" + nops(8)), "pc 0x8,",
            "lda r1, [p0, #0]", "memory: unaligned access of 4 bytes at 0x70002"},
           {"unmapped access", program("movxm p0, #0x10000\n" + nops(1) + "st r1, [p0, #0]\n" + nops(8)), "pc 0x8,",
            "st r1, [p0, #0]", "memory: nothing is mapped at 0x10000 (4 bytes)"},
       }) {
    INFO(wrong.what);
    machine m(wrong.code);
    const auto result = m.run(0);
    CHECK(result.outcome == command_outcome::error);
    CHECK_THAT(result.report,
               ContainsSubstring("tile (0,2)") && ContainsSubstring(std::string("core at ") + wrong.pc) &&
                   ContainsSubstring(std::string("bundle \"") + wrong.bundle + "\"") && ContainsSubstring(wrong.cause));
    m.check_next_command();
  }
}

TEST_CASE("a core program that loops for ever ends its command with tile, pc, bundle and cause, and the next runs",
          "[emu][firmware][wrong]") {
  machine m(program(nops(8) + "again:\nnop\nnop\nj #again\n" + nops(6)));
  const auto result = m.run(0);
  CHECK(result.outcome == command_outcome::timeout);
  CHECK_THAT(result.report, ContainsSubstring("cores run, but no lock is touched and no word moves") &&
                                ContainsSubstring("core (0,2) at pc 0x") && ContainsSubstring("bundle \""));
  m.check_next_command();
}
