// SPDX-License-Identifier: Apache-2.0
// npurt-core: a function run on files, what it prints, and programs that do not come to their end.
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tools/command.hpp"

using namespace npurt::test;

namespace {

const std::string tool = NPURT_CORE " ";
const std::string ret = "ret lr\nnop\nnop\nnop\nnop\nnop\n";
const std::string six_nops = "nop\nnop\nnop\nnop\nnop\nnop\n";

/// c[i] = a[i] + 1 for four words, without a loop.
const std::string add_one =
    "// four words\n.globl add_one\nadd_one:\nlda r0, [p0], #4\nlda r1, [p0], #4\n"
    "lda r2, [p0], #4\nlda r3, [p0], #4\nnop\nnop\nnop\nadd r0, r0, #1\n"
    "add r1, r1, #1 ; st r0, [p1], #4\nadd r2, r2, #1 ; st r1, [p1], #4\n"
    "add r3, r3, #1 ; st r2, [p1], #4\nst r3, [p1], #4\n" +
    ret;

outcome run_source(const scratch_folder& folder, const std::string& source, const std::string& arguments = {}) {
  folder.write("f.s", source);
  return folder.run(tool + "f.s " + arguments);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("npurt-core runs a function of a source on files", "[tools]") {
  const scratch_folder folder;
  folder.write("a.bin", bytes_of<std::int32_t>({5, -1, 41, 0x7fffffff}));
  const auto done = run_source(folder, add_one, "--in a.bin --out c.bin --out-size 16 --stats s.json");
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(values_of<std::int32_t>(folder.read("c.bin")) == std::vector<std::int32_t>{6, 0, 42, -0x7fffffff - 1});
  CHECK(done.err.empty());
  CHECK(contains(done.out, "bundles 19 "));  // 18 of the function and the one that ends the run
  CHECK(contains(folder.read("s.json"), "\"finished\": true, \"bundles\": 19"));
}

TEST_CASE("npurt-core runs an ELF file with its data sections, and a function by name", "[tools]") {
  const scratch_folder folder;
  folder.write("f.s", ".globl first\nfirst: " + ret + "second: movxm p2, #table\nlda r0, [p2, #4]\n" + six_nops +
                          "st r0, [p1, #0]\n" + ret + ".data\n.word 1\ntable: .word 2, 77\n.bss\n.zero 100\n");
  REQUIRE(folder.run(NPURT_AS " f.s -o f.elf").code == 0);
  REQUIRE(folder.run(tool + "f.elf --out c.bin --out-size 4").code == 0);
  CHECK(values_of<int>(folder.read("c.bin")) == std::vector{0});
  REQUIRE(folder.run(tool + "f.elf --entry second --out c.bin --out-size 4").code == 0);
  CHECK(values_of<int>(folder.read("c.bin")) == std::vector{77});
}

TEST_CASE("npurt-core starts with zero registers, aligned buffers, a stack and a way back", "[tools]") {
  const scratch_folder folder;
  folder.write("a.bin", "abcd");
  const auto done =
      run_source(folder,
                 ".globl f\nf: mov r0, p0 ; st r31, [p1, #0]\nmov r1, p1\nst r0, [p1, #4]\nst r1, [p1, #8]\n"
                 "paddb [sp], #32\nst r1, [sp, #-32]\nnop\nlda r2, [sp, #-32]\n" +
                     six_nops + "st r2, [p1, #12]\n" + ret,
                 "--in a.bin --out c.bin --out-size 16");
  INFO(done.err);
  REQUIRE(done.code == 0);
  const auto words = values_of<std::uint32_t>(folder.read("c.bin"));
  REQUIRE(words.size() == 4);
  CHECK(words[0] == 0);
  CHECK(words[1] % 32 == 0);
  CHECK(words[2] % 32 == 0);
  CHECK((words[1] >= 0x70000 && words[2] + 16 <= 0x80000 && words[1] != words[2]));
  CHECK(words[3] == words[2]);
}

TEST_CASE("the trace has a line a bundle with the registers whose writes land", "[tools]") {
  const scratch_folder folder;
  folder.write("a.bin", bytes_of<std::int32_t>({5, 6, 7, 8}));
  REQUIRE(run_source(folder, add_one, "--in a.bin --out c.bin --out-size 16 --trace t.txt").code == 0);
  const auto trace = folder.read("t.txt");
  INFO(trace);
  CHECK(contains(trace, " 00000  lda r0, [p0], #4"));
  CHECK(contains(trace, "r0=00000005"));  // lands in the seventh cycle
  CHECK(contains(trace, "r0=00000006"));
  CHECK(trace.find("r0=00000005") > trace.find("lda r3"));
  CHECK(std::count(trace.begin(), trace.end(), '\n') >= 20);
}

TEST_CASE("the profile lists the source with cycles and slots", "[tools]") {
  const scratch_folder folder;
  const auto done = run_source(
      folder, ".globl f\nf: mova r0, #3\n.Lagain: add r0, r0, #-1\njnz r0, #.Lagain\nnop\nnop\nnop\nnop\nnop\n" + ret,
      "--profile");
  INFO(done.out);
  REQUIRE(done.code == 0);
  CHECK(contains(done.out, "        1         1         0  A.....  00000     2: f: mova r0, #3"));
  CHECK(contains(done.out, "        3         3         0  ..X..."));
  CHECK(contains(done.out, "slots used, of"));
}

TEST_CASE("both engines give the same output and counters", "[tools]") {
  const scratch_folder folder;
  folder.write("a.bin", bytes_of<std::int32_t>({1, 2, 3, 4}));
  const auto arguments = "--in a.bin --out c.bin --out-size 16 --engine ";
  const auto plain = run_source(folder, add_one, std::string(arguments) + "reference");
  const auto output = folder.read("c.bin");
  const auto fast = run_source(folder, add_one, std::string(arguments) + "fast");
  CHECK(plain.code == 0);
  CHECK(plain.out == fast.out);
  CHECK(folder.read("c.bin") == output);
}

TEST_CASE("a program that cannot go on ends with tile, pc, bundle and cause", "[tools]") {
  const scratch_folder folder;
  const auto check = [&](const std::string& body, const std::string& pc, const std::string& bundle,
                         const std::string& cause, const std::string& arguments = {}) {
    INFO(body);
    const auto done = run_source(folder, ".globl f\nf: " + body, arguments);
    INFO(done.err);
    CHECK(done.code == 1);
    CHECK(contains(done.err, "tile (0, 2), pc " + pc));
    CHECK(contains(done.err, bundle));
    CHECK(contains(done.err, cause));
  };
  check("movxm p2, #0x30000\nlda r0, [p2, #0]\n" + six_nops + ret, "0x6 (f.s:3)", "lda r0, [p2, #0]", "mapped");
  check("movxm p2, #0x70002\nlda r0, [p2, #0]\n" + six_nops + ret, "0x6 (f.s:3)", "lda r0, [p2, #0]", "align");
  check("j #f\nnop\nnop\nnop\nnop\nnop\n", "0x", "", "5000 cycles", "--max-cycles 5000");
  check("movxm p2, #0x8000\nj p2\nnop\nnop\nnop\nnop\nnop\n", "0x8000", "", "outside program memory");
  check(".byte 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff\n",
        "0x0, bundle \"ff ff", "ff ff", "illegal bundle");
  check("mova r0, #-1\nacq #49, r0\n" + ret, "0x", "acq #49, r0", "--lock 49=1");
  check("mov r0, SS\n" + six_nops + ret, "0x", "mov r0, SS", "stream");
}

TEST_CASE("a lock that the command line sets is acquired", "[tools]") {
  const scratch_folder folder;
  const auto done = run_source(folder, ".globl f\nf: mova r0, #-1\nacq #49, r0\nnop\nnop\nnop\n" + ret, "--lock 49=1");
  INFO(done.err);
  CHECK(done.code == 0);
}

TEST_CASE("wrong arguments and files are refused before anything runs", "[tools]") {
  const scratch_folder folder;
  folder.write("a.bin", std::string(70'000, 'x'));
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    INFO(arguments);
    const auto done = folder.run(tool + arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(contains(done.err, part));
  };
  folder.write("f.s", ".globl f\nf: " + ret);
  folder.write("bad.s", "f: add r0, r1\nfrobnicate\n");
  folder.write("local.s", "f: " + ret);
  refused("f.s --in a.bin", "does not fit");
  refused("f.s --out c.bin --out-size 70000", "does not fit");
  refused("f.s --in missing.bin", "cannot read missing.bin");
  refused("missing.s", "cannot read missing.s");
  refused("bad.s", "bad.s:1:14: error: expected ','");
  refused("bad.s", "bad.s:2:1: error: unknown instruction");
  refused("local.s", "no global function");
  refused("f.s --entry g", "no function 'g'");
  refused("f.s --out c.bin", "--out-size");
  refused("f.s --lock 3=1", "48 to 63");
  refused("f.s --lock 49=64", "0 to 63");
  refused("f.s --lock 49=-1", "0 to 63");
  refused("f.s --lock 49", "expected ID=VALUE");
  refused("f.s --in f.s --in-at 24", "input of ");
  refused("f.s --in f.s --in-at 65536", "at offset 0x10000");
  refused("/dev/zero", "/dev/zero has more than");
}

TEST_CASE("data beside the core's own memory is refused", "[tools]") {
  const scratch_folder folder;
  folder.write("f.s", ".globl f\nf: " + ret + ".data\n.word 1\n");
  REQUIRE(folder.run(NPURT_AS " f.s -o f.elf").code == 0);
  std::string elf = folder.read("f.elf");
  constexpr std::string_view own{"\0\0\7\0", 4}, another{"\0\0\4\0", 4};  // 0x70000, 0x40000
  for (auto at = elf.find(own); at != std::string::npos; at = elf.find(own, at)) elf.replace(at, 4, another);
  folder.write("far.elf", elf);
  const auto done = folder.run(tool + "far.elf");
  CHECK(done.code == 2);
  CHECK(contains(done.err, "takes 0x40000..0x40004, outside of the core's own data memory"));
}

TEST_CASE("a damaged ELF file is refused", "[tools]") {
  const scratch_folder folder;
  folder.write("f.s", ".globl f\nf: " + ret);
  REQUIRE(folder.run(NPURT_AS " f.s -o f.elf").code == 0);
  auto elf = folder.read("f.elf");
  folder.write("cut.elf", elf.substr(0, 60));
  CHECK(folder.run(tool + "cut.elf").code == 2);
  elf[16] = 1;  // ET_REL
  folder.write("object.elf", elf);
  const auto done = folder.run(tool + "object.elf");
  CHECK(done.code == 2);
  CHECK(contains(done.err, "link it first"));
}

TEST_CASE("an operation of the overlay runs from the assembly that npurt-kernels writes, with its profile", "[tools]") {
  const scratch_folder folder;
  REQUIRE(
      folder.run(NPURT_KERNELS " " NPURT_SOURCE_DIR "/kernels --only overlay --output built --assembly texts").code ==
      0);
  for (const char* page : {"1", "2", "3", "4"}) {
    CHECK(contains(folder.read("texts/overlay-page-" + std::string(page) + ".s"), "main:\n"));
  }
  // One pair of chunks: kernels/bf16-add/README.md says 17 cycles for 64 elements and 1,280 for the pair, about.
  folder.write("parameters.bin", bytes_of<std::int32_t>({5, 1}));
  const auto done = folder.run(tool +
                               "texts/overlay-page-1.s --entry op_add_bf16 --in parameters.bin --lock 49=1 --lock 51=1 "
                               "--lock 52=2 --stats s.json --profile");
  INFO(done.out << done.err);
  REQUIRE(done.code == 0);
  const std::string stats = folder.read("s.json"), cycles = "\"cycles\": ";
  const auto at = stats.find(cycles);
  REQUIRE(at != std::string::npos);
  const int taken = std::stoi(stats.substr(at + cycles.size()));
  CHECK(taken >= 64 * 17);
  CHECK(taken <= 1400);
  CHECK(contains(done.out, "       64        64         0  .....V"));  // a multiplication in the loop over 64 elements
  CHECK(contains(done.out, "slots used, of"));
}
