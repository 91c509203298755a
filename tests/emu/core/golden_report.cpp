// SPDX-License-Identifier: Apache-2.0
// npurt-golden: every recorded result of a real NPU against our core, counted per instruction.
#include <cstdio>
#include <exception>

#include "golden_batches.hpp"

using namespace npurt::test;

namespace {

struct tally {
  unsigned equal = 0, different = 0, refused = 0;

  void count(verdict what) { ++(what == verdict::equal ? equal : what == verdict::different ? different : refused); }
  unsigned all() const { return equal + different + refused; }
  void add(const tally& other) {
    equal += other.equal;
    different += other.different;
    refused += other.refused;
  }
};

struct instruction_tally {
  tally exact, rewritten;
  unsigned not_compared = 0;
  unsigned unrecorded = 0;  ///< of these, recorded without a flag
  unsigned inherited = 0;   ///< of the failed ones: inherited_register
};

void print_line(const char* name, const instruction_tally& t) {
  std::printf("%-36s %6u %6u %6u | %6u %6u %6u | %6u\n", name, t.exact.equal, t.exact.different, t.exact.refused,
              t.rewritten.equal, t.rewritten.different, t.rewritten.refused, t.not_compared);
}

using report = std::map<std::string, instruction_tally>;

report run_all(const std::vector<golden_batch>& batches, std::string& remarks) {
  report tallies;
  for (const golden_batch& batch : batches) {
    const auto results = run_batch(batch);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const golden_point& point = batch.points[i];
      instruction_tally& t = tallies[point.name];
      if (point.kind == standing::not_compared || rests_on_unrecorded_state(batch, i)) {
        ++t.not_compared;
        t.unrecorded += point.kind == standing::exact ? 1 : 0;
        continue;
      }
      (point.kind == standing::exact ? t.exact : t.rewritten).count(results[i].what);
      if (results[i].what == verdict::equal) continue;
      const std::string reg = inherited_register(batch, i);
      const std::string differs = reg.empty() ? "differs" : "differs; " + reg + " is what an earlier program left";
      const bool refused = results[i].what == verdict::refused;
      t.inherited += !refused && !reg.empty() ? 1 : 0;
      remarks += batch.name + " point " + std::to_string(i) + ": " + point.name + " " +
                 (refused ? results[i].cause : differs) + "\n";
    }
  }
  return tallies;
}

instruction_tally print(const report& tallies) {
  std::printf("%-36s %20s | %20s | %6s\n", "", "recorded", "rewritten-later", "");
  std::printf("%-36s %6s %6s %6s | %6s %6s %6s | %6s\n", "instruction", "passed", "failed", "refused", "passed",
              "failed", "refused", "other");
  instruction_tally total;
  for (const auto& [name, t] : tallies) {
    print_line(name.c_str(), t);
    total.exact.add(t.exact);
    total.rewritten.add(t.rewritten);
    total.not_compared += t.not_compared;
    total.unrecorded += t.unrecorded;
    total.inherited += t.inherited;
  }
  print_line("total", total);
  return total;
}

bool print_vector_operations(const std::filesystem::path& golden) {
  unsigned equal = 0;
  const auto operations = run_vector_operations(golden);
  for (const vector_result& operation : operations) {
    std::printf("%-36s %s\n", operation.name.c_str(), operation.equal ? "passed" : "FAILED");
    equal += operation.equal ? 1 : 0;
  }
  std::printf("%u of %zu operations passed\n", equal, operations.size());
  return equal == operations.size();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::filesystem::path golden = argc > 1 ? argv[1] : NPURT_GOLDEN_DIR;
    if (!std::filesystem::is_directory(golden / "isa")) {
      std::fprintf(stderr, "npurt-golden: no recorded results in %s; usage: npurt-golden [FOLDER]\n", golden.c_str());
      return 2;
    }
    std::string remarks;
    const instruction_tally total = print(run_all(read_batches(golden), remarks));
    std::printf("\n%s\n", remarks.c_str());
    const bool vectors = print_vector_operations(golden);
    const unsigned rewritten = total.rewritten.all();
    std::printf("recorded: %u of %u passed; rewritten-later: %u of %u passed (%.1f %%)\n", total.exact.equal,
                total.exact.all(), total.rewritten.equal, rewritten,
                rewritten == 0 ? 100.0 : 100.0 * total.rewritten.equal / rewritten);
    std::printf(
        "not counted: %u recorded points that rest on state which no row holds\n"
        "failed rewritten-later points that read what an earlier program left in a register: %u\n",
        total.unrecorded, total.inherited);
    return vectors && total.exact.equal == total.exact.all() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "npurt-golden: %s\n", error.what());
    return 2;
  }
}
