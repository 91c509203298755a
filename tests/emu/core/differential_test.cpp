// SPDX-License-Identifier: Apache-2.0
// The translating engine against the reference: random programs in random surroundings, to the bit and to the cycle.
// npurt-core-fuzz runs the same with more seeds.
#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "aie/isa/isa.hpp"
#include "emu/core/differential_run.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

struct figures {
  std::uint64_t programs = 0, bundles = 0, faults = 0;
  coverage covered;
};

figures run_seeds(const setup& how, std::uint64_t first, std::uint64_t count) {
  engine_pair pair(how);
  figures sum;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto what = make_scenario(seed);
    const auto result = pair.run(what);
    if (result.differs) FAIL(report(what, how));
    sum.covered.add(what, result);
    sum.bundles += result.bundles;
    sum.faults += result.fault.empty() ? 0 : 1;
    ++sum.programs;
  }
  return sum;
}

}  // namespace

TEST_CASE("the fast engine agrees with the reference on random programs", "[core][differential]") {
  CHECK(run_seeds({emu::engine::fast, false}, 1, 100).bundles > 50'000);
  CHECK(run_seeds({emu::engine::fast, true}, 101, 100).bundles > 50'000);
}

TEST_CASE("translation at first sight agrees with the reference on random programs", "[core][differential]") {
  CHECK(run_seeds({emu::engine::eager, false}, 201, 100).bundles > 50'000);
  CHECK(run_seeds({emu::engine::eager, true}, 301, 100).bundles > 50'000);
}

TEST_CASE("random programs reach all formats and most instructions, and few end early", "[core][differential]") {
  const auto sum = run_seeds({emu::engine::reference, true}, 401, 200);
  CHECK(sum.covered.formats.size() == aie::isa::formats().size());
  CHECK(sum.covered.instructions.size() > 500);
  CHECK(sum.faults > 0);
  CHECK(sum.faults < sum.programs / 2);
}

TEST_CASE("a seed makes the same program and the same run again", "[core][differential]") {
  const auto one = make_scenario(7), other = make_scenario(7);
  CHECK(one.program.image() == other.program.image());
  engine_pair pair({emu::engine::reference, false});
  const auto a = pair.run(one);
  static_cast<void>(pair.run(make_scenario(8)));
  const auto b = pair.run(other);
  CHECK(a.bundles == b.bundles);
  CHECK(a.executed == b.executed);
  CHECK_FALSE(a.differs);
}
