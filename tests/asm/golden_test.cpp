// SPDX-License-Identifier: Apache-2.0
// Every assembly line of the recorded hardware batches assembles, decodes, and comes back from its disassembly.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"

using namespace npurt;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> batches() {
  std::vector<fs::path> files;
  const fs::path folder = fs::path(NPURT_GOLDEN_DIR) / "isa";
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> lines_of(const fs::path& file) {
  const auto batch = nlohmann::json::parse(std::ifstream(file));
  std::vector<std::string> lines = batch.at("prologue");
  for (const auto& point : batch.at("points"))
    for (const auto& line : point.at("asm")) lines.push_back(line);
  return lines;
}

/// The text of every bundle in a piece of code.
std::vector<std::string> texts_of(const std::vector<std::uint8_t>& code) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < code.size();) {
    const auto bundle = aie::isa::decode(std::span(code).subspan(at));
    REQUIRE(bundle);
    texts.push_back(assembler::to_text(*bundle));
    at += bundle->bytes;
  }
  return texts;
}

std::vector<std::uint8_t> code_of(std::span<const std::string> lines) {
  std::string source;
  for (const auto& line : lines) source += line + "\n";
  const auto program = assembler::assemble(source, "golden");
  if (!program) FAIL(to_string(program.error().front()));
  return program->sections.at(0).bytes;
}

}  // namespace

TEST_CASE("the recorded batches assemble, and their disassembly gives the same bytes", "[asm][golden]") {
  const auto files = batches();
  if (files.empty()) SKIP("no recorded batches in " NPURT_GOLDEN_DIR "/isa (set NPURT_GOLDEN_DIR)");
  constexpr std::size_t lines_at_once = 900;  // a batch is longer than program memory: 900 bundles of 16 bytes fit it
  std::size_t count = 0;
  for (const auto& file : files) {
    INFO(file);
    const auto lines = lines_of(file);
    for (std::size_t start = 0; start < lines.size(); start += lines_at_once) {
      const auto some = std::span(lines).subspan(start, std::min(lines_at_once, lines.size() - start));
      const auto code = code_of(some);
      const auto texts = texts_of(code);
      REQUIRE(texts.size() == some.size());
      for (std::size_t i = 0; i < some.size(); ++i)
        if (!some[i].starts_with("vextbcst.16")) CHECK(texts[i] == some[i]);  // those write index 16 as -16
      REQUIRE(code_of(texts) == code);
      count += some.size();
    }
  }
  CHECK(count == 80'878);  // the figure of aie2/README.md
}
