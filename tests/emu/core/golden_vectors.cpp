// SPDX-License-Identifier: Apache-2.0
// golden/vec: vector operations through small programs, a block of the inputs at a time.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "golden_batches.hpp"
#include "golden_programs.hpp"

namespace npurt::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t first_in = 0x72000, second_in = 0x74000, out_at = 0x78000;

std::string lines(const std::string& text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; ++i) {
    all += text + "\n";
  }
  return all;
}

const std::string load_accumulator = "vlda amll0, [p0, #0]\nvlda amlh0, [p0, #32]\n" + lines("nop", 7);
const std::string load_vector = "vlda wl0, [p0, #0]\n" + lines("nop", 7);
const std::string load_wide_vector = "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + lines("nop", 7);
const std::string load_factors = "vlda wl2, [p2, #0]\nvlda wh2, [p2, #32]\n" + load_wide_vector;
const std::string load_short_factors =
    "vlda wl2, [p2, #0]\nvlda wh2, [p2, #32]\nvlda.128 wl0, [p0]\n" + lines("nop", 7);
const std::string store_vector = lines("nop", 6) + "vst wl2, [p1, #0]\n";
const std::string store_wide_vector = store_vector + "vst wh2, [p1, #32]\n";
const std::string store_half = lines("nop", 6) + "vst amll1, [p1, #0]\nvst amlh1, [p1, #32]\n";
const std::string store_accumulator = store_half + "vst amhl1, [p1, #64]\nvst amhh1, [p1, #96]\n";

/// How a family of operations is computed: p0 and p2 point to a block of IN (INA, INB), p1 to one of the result.
struct vector_program {
  std::string_view prefix;  ///< of the operation's name
  std::string body;
  std::size_t in_block, second_block, out_block;
  unsigned shift;
};

/// 29 and 793: multiplier modes bf16 4x8x4 and signed int16 4x2x8, both from a zero accumulator.
const vector_program& program_for(const std::string& name) {
  static const std::vector<vector_program> programs = {
      {"vec_srs_i32", load_accumulator + "vsrs.s16.s32 wl2, bml0, s0\n" + store_vector, 64, 0, 32, 4},
      {"vec_conv_bf16", load_accumulator + "vconv.bf16.fp32 wl2, bml0\n" + store_vector, 64, 0, 32, 0},
      {"vec_convexp_bf16", load_vector + "vconv.fp32.bf16 bml1, wl0\n" + store_half, 32, 0, 64, 0},
      {"vec_ups_i32", load_vector + "vups.s32.s16 bml1, wl0, s0\n" + store_half, 32, 0, 64, 4},
      {"vec_pack_i16", load_wide_vector + "vpack.s8.s16 wl2, x0\n" + store_vector, 64, 0, 32, 0},
      {"vec_vfloor_bf16", load_vector + "vfloor.s32.bf16 x2, wl0, s0\n" + store_wide_vector, 32, 0, 64, 0},
      {"vec_mac_bf16", load_factors + "mova r0, #29\nvmac.f bml1, bml0, x0, x2, r0\n" + store_half, 64, 64, 64, 0},
      {"vec_mac_i16", load_short_factors + "mova r0, #793\nvmac cm1, cm0, x0, x2, r0\n" + store_accumulator, 16, 32,
       128, 0},
  };
  const auto found = std::ranges::find_if(programs, [&](const auto& p) { return name.starts_with(p.prefix); });
  if (found == programs.end()) {
    throw std::runtime_error("no program computes " + name);
  }
  return *found;
}

struct modes {
  std::uint32_t rounding = 0, saturation = 0;
};

/// From the name: _rR and _sS; plain vec_srs_i32 stands for saturation 1, and _sat is another name for it.
modes modes_of(const std::string& name) {
  modes m;
  for (std::size_t at = name.find('_'); at != std::string::npos; at = name.find('_', at + 1)) {
    const std::string part = name.substr(at + 1, name.find('_', at + 1) - at - 1);
    if (part.size() >= 2 && part.find_first_not_of("0123456789", 1) == std::string::npos) {
      (part[0] == 'r' ? m.rounding : m.saturation) = static_cast<std::uint32_t>(std::stoul(part.substr(1)));
    }
  }
  if (name == "vec_srs_i32" || name.ends_with("_sat")) {
    m.saturation = 1;
  }
  return m;
}

std::vector<std::byte> run(const vector_program& program, const modes& m, const std::vector<std::byte>& a,
                           const std::vector<std::byte>& b) {
  const auto code = assemble_or_throw(program.body + lines("nop", 12) + "done\n" + lines("nop", 5), "vec");
  memory_only ports;
  emu::core core(ports);
  load(core, 0, code);
  std::ranges::copy(a, ports.data(first_in, 1));
  std::ranges::copy(b, ports.data(second_in, 1));
  const std::size_t blocks = a.size() / program.in_block;
  for (std::size_t i = 0; i < blocks; ++i) {
    core.reset();
    set_register(core, "p0", static_cast<std::uint32_t>(first_in + i * program.in_block));
    set_register(core, "p2", static_cast<std::uint32_t>(second_in + i * program.second_block));
    set_register(core, "p1", static_cast<std::uint32_t>(out_at + i * program.out_block));
    set_register(core, "crRnd", m.rounding);
    set_register(core, "crSat", m.saturation);
    set_register(core, "s0", program.shift);
    core.enable(true);
    core.run(10'000);
    if (core.fault() || !core.done()) {
      throw std::runtime_error(core.fault() ? core.fault()->cause : "the program did not end");
    }
  }
  const auto* out = ports.data(out_at, 1);
  return {out, out + blocks * program.out_block};
}

vector_result run_operation(const fs::path& file) {
  const auto json = nlohmann::json::parse(std::ifstream(file));
  const std::string name = file.stem();
  const auto array = [&](const char* key) {
    const auto& arrays = json.at("arrays");
    return arrays.contains(key) ? bytes_of_hex(arrays.at(key).at("hex")) : std::vector<std::byte>{};
  };
  const std::string expected = json.at("expected");
  const auto only = array("IN");
  const auto result = run(program_for(name), modes_of(name), only.empty() ? array("INA") : only, array("INB"));
  return {name, result == array(expected.c_str())};
}

}  // namespace

std::vector<vector_result> run_vector_operations(const fs::path& golden) {
  std::vector<fs::path> files{fs::directory_iterator(golden / "vec"), {}};
  std::ranges::sort(files);
  std::vector<vector_result> results;
  std::ranges::transform(files, std::back_inserter(results), run_operation);
  return results;
}

}  // namespace npurt::test
