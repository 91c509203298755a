// SPDX-License-Identifier: Apache-2.0
// npurt-as and npurt-dis: exit codes, messages and files.
#include <catch2/catch_test_macros.hpp>

#include "tools/command.hpp"

using namespace npurt::test;

namespace {

const std::string as = NPURT_AS " ", dis = NPURT_DIS " ";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("npurt-as and npurt-dis go round without a change", "[tools]") {
  const scratch_folder folder;
  REQUIRE(folder.run(as + NPURT_SOURCE_DIR "/kernels/i8-matmul/i8-matmul.s -o one.elf").code == 0);
  const auto text = folder.run(dis + "one.elf");
  REQUIRE(text.code == 0);
  CHECK(contains(text.out, "main:\n"));
  folder.write("again.s", text.out);
  REQUIRE(folder.run(as + "again.s -o two.elf").code == 0);
  CHECK_FALSE(folder.read("one.elf").empty());
  CHECK(folder.read("one.elf") == folder.read("two.elf"));
}

TEST_CASE("npurt-as prints all errors and writes nothing", "[tools]") {
  const scratch_folder folder;
  folder.write("bad.s", "nop\nfoo r0\nj #gone\n.frob\n");
  const auto done = folder.run(as + "bad.s -o bad.elf");
  CHECK(done.code == 1);
  CHECK(contains(done.err, "bad.s:2:1: error:"));
  CHECK(contains(done.err, "bad.s:3:4: error:"));
  CHECK(contains(done.err, "bad.s:4:1: error:"));
  CHECK_FALSE(std::filesystem::exists(folder.file("bad.elf")));
}

TEST_CASE("npurt-as warns of hazards on demand", "[tools]") {
  const scratch_folder folder;
  folder.write("f.s", ".globl f\nf: lda r0, [p0, #0]\nst r0, [p1, #0]\nret lr\nnop\nnop\nnop\nnop\nnop\n");
  CHECK(folder.run(as + "f.s -o f.elf").err.empty());
  const auto checked = folder.run(as + "f.s --check");
  CHECK(checked.code == 0);
  CHECK(contains(checked.err, "f.s:3:1: warning:"));
  CHECK(folder.run(as + "f.s --strict -o strict.elf").code == 1);
  CHECK_FALSE(std::filesystem::exists(folder.file("strict.elf")));
}

TEST_CASE("npurt-dis refuses what is no AIE2 ELF file", "[tools]") {
  const scratch_folder folder;
  folder.write("text.elf", "not an ELF file");
  const auto done = folder.run(dis + "text.elf");
  CHECK(done.code == 1);
  CHECK(contains(done.err, "text.elf: not an ELF file"));
  CHECK(folder.run(dis + "missing.elf").code == 2);
}

TEST_CASE("npurt-as and npurt-dis answer 2 for wrong arguments and files", "[tools]") {
  const scratch_folder folder;
  folder.write("f.s", "nop\n");
  REQUIRE(folder.run(as + "f.s -o f.elf").code == 0);
  const auto refused = [&](const std::string& command, const std::string& part) {
    INFO(command);
    const auto done = folder.run(command);
    CHECK(done.code == 2);
    CHECK(contains(done.err, part));
  };
  refused(as, "input is required");
  refused(dis + "--frob f.elf", "--frob");
  refused(as + ".", "npurt-as: cannot read .");
  refused(dis + ".", "npurt-dis: cannot read .");
  refused(as + "f.s -o missing/f.elf", "cannot write missing/f.elf");
  refused("sh -c '" + dis + "f.elf >/dev/full'", "cannot write the standard output");
}

TEST_CASE("every tool of this room explains itself with examples", "[tools]") {
  const scratch_folder folder;
  for (const char* tool : {NPURT_AS, NPURT_DIS, NPURT_CORE}) {
    const auto help = folder.run(std::string(tool) + " --help");
    CHECK(help.code == 0);
    CHECK(contains(help.out, "Examples:"));
    CHECK(contains(help.out, "Exit code"));
  }
}
