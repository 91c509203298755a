// SPDX-License-Identifier: Apache-2.0
// Vector operations against golden/vec: srs, ups, pack, conversions and the matrix products, through small programs.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core_bench.hpp"

using namespace npurt;
using namespace npurt::test;
namespace fs = std::filesystem;

namespace {

struct operation_record {
  std::map<std::string, std::vector<std::byte>> arrays;
  std::vector<std::byte> expected;
};

operation_record read_record(const std::string& name) {
  const auto json = nlohmann::json::parse(std::ifstream(fs::path(NPURT_GOLDEN_DIR) / "vec" / (name + ".json")));
  operation_record record;
  for (const auto& [key, array] : json.at("arrays").items()) {
    const std::string hex = array.at("hex");
    auto& bytes = record.arrays[key];
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    }
  }
  record.expected = record.arrays.at(json.at("expected"));
  return record;
}

bool has_records() { return fs::is_directory(fs::path(NPURT_GOLDEN_DIR) / "vec"); }

std::string lines(const std::string& text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; ++i) {
    all += text + "\n";
  }
  return all;
}

constexpr std::uint32_t first_in = 0x72000, second_in = 0x74000, out_at = 0x78000;

/// Runs `body` once a block with p0, p2 on the next block of the inputs and p1 on that of the output.
std::vector<std::byte> run_blocks(const std::string& body, const std::vector<std::byte>& a, std::size_t a_block,
                                  const std::vector<std::byte>& b, std::size_t b_block, std::size_t out_block,
                                  std::uint32_t rnd, std::uint32_t sat, std::uint32_t shift) {
  const std::size_t blocks = a.size() / a_block;
  core_bench bench(body + lines("nop", 12) + "done\n" + lines("nop", 5));
  std::copy(a.begin(), a.end(), bench.ports.data(first_in, 1));
  std::copy(b.begin(), b.end(), bench.ports.data(second_in, 1));
  for (std::size_t i = 0; i < blocks; ++i) {
    bench.core.reset();
    bench.set("p0", static_cast<std::uint32_t>(first_in + i * a_block));
    bench.set("p2", static_cast<std::uint32_t>(second_in + i * b_block));
    bench.set("p1", static_cast<std::uint32_t>(out_at + i * out_block));
    bench.set("crRnd", rnd);
    bench.set("crSat", sat);
    bench.set("s0", shift);
    bench.core.enable(true);
    bench.run();
  }
  const auto* out = bench.ports.data(out_at, 1);
  return {out, out + blocks * out_block};
}

std::vector<std::byte> run_unary(const std::string& body, const std::vector<std::byte>& in, std::size_t in_block,
                                 std::size_t out_block, std::uint32_t rnd = 0, std::uint32_t sat = 0,
                                 std::uint32_t shift = 0) {
  return run_blocks(body, in, in_block, {}, 0, out_block, rnd, sat, shift);
}

const std::string load_accumulator = "vlda amll0, [p0, #0]\nvlda amlh0, [p0, #32]\n" + lines("nop", 7);
const std::string load_vector = "vlda wl0, [p0, #0]\n" + lines("nop", 7);
const std::string store_vector = lines("nop", 6) + "vst wl2, [p1, #0]\n";

}  // namespace

TEST_CASE("srs rounds and saturates as recorded", "[emu][core][golden]") {
  if (!has_records()) {
    SKIP("no recorded results (set NPURT_GOLDEN_DIR)");
  }
  unsigned compared = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(NPURT_GOLDEN_DIR) / "vec")) {
    const std::string name = entry.path().stem();
    if (!name.starts_with("vec_srs_i32")) {
      continue;
    }
    // vec_srs_i32_r<mode>_s<saturation>; the plain name stands for r0_s1.
    const std::size_t r = name.find("_r", 8);
    const auto rnd = r == std::string::npos ? 0u : static_cast<unsigned>(std::stoul(name.substr(r + 2)));
    const auto sat = r == std::string::npos ? 1u : static_cast<unsigned>(std::stoul(name.substr(name.rfind('s') + 1)));
    const operation_record record = read_record(name);
    INFO(name);
    CHECK(run_unary(load_accumulator + "vsrs.s16.s32 wl2, bml0, s0\n" + store_vector, record.arrays.at("IN"), 64, 32,
                    rnd, sat, 4) == record.expected);
    ++compared;
  }
  CHECK(compared == 16);
}

TEST_CASE("fp32 to bf16 rounds as recorded, special values included", "[emu][core][golden]") {
  if (!has_records()) {
    SKIP("no recorded results (set NPURT_GOLDEN_DIR)");
  }
  for (const unsigned rnd : {0u, 2u, 8u, 10u, 12u}) {
    for (const std::string prefix : {"vec_conv_bf16_r", "vec_conv_bf16_edge_r"}) {
      const operation_record record = read_record(prefix + std::to_string(rnd));
      INFO(prefix << rnd);
      CHECK(run_unary(load_accumulator + "vconv.bf16.fp32 wl2, bml0\n" + store_vector, record.arrays.at("IN"), 64, 32,
                      rnd) == record.expected);
    }
  }
}

TEST_CASE("ups, pack, bf16 to fp32 and floor answer as recorded", "[emu][core][golden]") {
  if (!has_records()) {
    SKIP("no recorded results (set NPURT_GOLDEN_DIR)");
  }
  const auto ups = read_record("vec_ups_i32_s0");
  CHECK(run_unary(load_vector + "vups.s32.s16 bml1, wl0, s0\n" + lines("nop", 4) +
                      "vst amll1, [p1, #0]\nvst amlh1, [p1, #32]\n",
                  ups.arrays.at("IN"), 32, 64, 0, 0, 4) == ups.expected);
  for (const auto& [name, sat] : {std::pair{"vec_pack_i16", 0u}, {"vec_pack_i16_s1", 1u}, {"vec_pack_i16_sat", 1u}}) {
    const auto pack = read_record(name);
    INFO(name);
    CHECK(run_unary(load_vector + "vlda wh0, [p0, #32]\n" + lines("nop", 7) + "vpack.s8.s16 wl2, x0\n" + store_vector,
                    pack.arrays.at("IN"), 64, 32, 0, sat) == pack.expected);
  }
  const auto conv = read_record("vec_convexp_bf16_denorm");
  CHECK(run_unary(load_vector + "vconv.fp32.bf16 bml1, wl0\n" + lines("nop", 4) +
                      "vst amll1, [p1, #0]\nvst amlh1, [p1, #32]\n",
                  conv.arrays.at("IN"), 32, 64) == conv.expected);
  const auto floored = read_record("vec_vfloor_bf16_denorm");
  CHECK(run_unary(load_vector + "vfloor.s32.bf16 x2, wl0, s0\n" + store_vector + "vst wh2, [p1, #32]\n",
                  floored.arrays.at("IN"), 32, 64) == floored.expected);
}

TEST_CASE("matrix products answer as recorded", "[emu][core][golden]") {
  if (!has_records()) {
    SKIP("no recorded results (set NPURT_GOLDEN_DIR)");
  }
  const auto load_y = [](bool whole) {
    return std::string("vlda wl2, [p2, #0]\nvlda wh2, [p2, #32]\n") +
           (whole ? "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" : "vlda.128 wl0, [p0]\n") + lines("nop", 7);
  };
  const auto bf16 = read_record("vec_mac_bf16");
  CHECK(run_blocks(load_y(true) + "mova r0, #29\nvmac.f bml0, bml0, x0, x2, r0\n" + lines("nop", 6) +
                       "vst amll0, [p1, #0]\nvst amlh0, [p1, #32]\n",
                   bf16.arrays.at("INA"), 64, bf16.arrays.at("INB"), 64, 64, 0, 0, 0) == bf16.expected);
  // 793 = signed, amode 0, bmode 3, zero accumulator: 4x2x8 of int16.
  const auto i16 = read_record("vec_mac_i16");
  CHECK(run_blocks(load_y(false) + "mova r0, #793\nvmac cm0, cm0, x0, x2, r0\n" + lines("nop", 5) +
                       "vst amll0, [p1, #0]\nvst amlh0, [p1, #32]\nvst amhl0, [p1, #64]\nvst amhh0, [p1, #96]\n",
                   i16.arrays.at("INA"), 16, i16.arrays.at("INB"), 32, 128, 0, 0, 0) == i16.expected);
}
