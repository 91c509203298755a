// SPDX-License-Identifier: Apache-2.0
// Surroundings of a core that a seed drives: memory that others write, banks, locks, streams and a cascade that refuse.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "emu/core/core.hpp"
#include "emu/core/differential_random.hpp"

namespace npurt::test {

/// How often each kind of port refuses: one request in so many; 0 for never.
struct refusals {
  std::uint32_t banks = 0, others = 0;
};

/// Two cores with ports of equal seeds get equal answers as long as they ask the same of each kind of port, in whatever
/// order they ask different kinds. What they asked is kept as one digest per kind.
class seeded_ports final : public emu::core_ports {
 public:
  enum kind : unsigned { banks, locks, stream_in, stream_out, cascade_in, cascade_out, events, kinds };
  static constexpr std::array<std::string_view, kinds> names = {
      "bank claims", "lock requests", "stream reads", "stream writes", "cascade reads", "cascade writes", "events"};

  // Own tile and south are mapped whole, the north half, which makes the core ask for every access; west is not.
  static constexpr std::uint32_t window = 0x10000;
  static constexpr std::uint32_t south = 0x40000, north = 0x60000, north_size = window / 2, own = 0x70000;

  /// @param shares_claims shows the claims of own tile and south to the core, as a tile does; else they are its own
  /// affair
  explicit seeded_ports(bool shares_claims = false) : shares_claims_(shares_claims) {}

  /// Before a step or run whose first cycle has this number. `taken`: what others have claimed in it.
  void begin(std::uint64_t cycle, std::uint8_t taken) {
    for (auto& claimed : shared) {
      if (taken != 0) claimed = {cycle, taken};
    }
  }
  const std::uint64_t* cycles = nullptr;  ///< the core's, with shared claims

  void restart(std::uint64_t seed, const refusals& how) {
    shared = {};
    how_ = how;
    random_source content(seed);
    for (auto& number : sources_) number = random_source(content.next());
    seed_ = content.next();
    claims_.fill(0);
    digests.fill(0);
    waits_.fill(0);
    fill_lanes(content, memory);
  }

  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    const std::uint64_t end = std::uint64_t{address} + size;
    if (address >= own && end <= own + window) return memory.data() + (address - own);
    if (address >= south && end <= south + window) return memory.data() + window + (address - south);
    if (address >= north && end <= north + north_size) return memory.data() + 2 * window + (address - north);
    return nullptr;
  }

  bool claim_banks(std::uint32_t address, std::uint32_t size) override {
    if (auto* shown = claims(address)) return claim(*shown, address, size);
    note(banks, std::uint64_t{address} << 8 | size);
    if (how_.banks == 0) return true;
    auto& asked = claims_[address / 16 % claims_.size()];
    random_source answer(seed_ ^ (std::uint64_t{address} << 32 | ++asked));
    return !answer.one_in(how_.banks);
  }
  emu::bank_claims* claims(std::uint32_t address) override {
    if (!shares_claims_ || address < south) return nullptr;
    return address >= own ? &shared[0] : address < south + window ? &shared[1] : nullptr;
  }
  const std::uint64_t* clock() override { return shares_claims_ ? cycles : nullptr; }

  bool acquire_lock(unsigned id, int value) override {
    note(locks, std::uint64_t{id} << 32 | static_cast<std::uint32_t>(value));
    return granted(locks);
  }
  void release_lock(unsigned id, int value) override {
    note(locks, std::uint64_t{id} << 32 | static_cast<std::uint32_t>(value) | 1ull << 63);
  }
  bool may_release_lock(unsigned id) override {
    note(locks, id | 1ull << 62);
    return granted(locks);
  }
  std::optional<std::uint32_t> read_stream(unsigned port, bool& last) override {
    note(stream_in, port);
    if (!granted(stream_in)) return std::nullopt;
    last = sources_[stream_in].one_in(4);
    return static_cast<std::uint32_t>(sources_[stream_in].next());
  }
  bool write_stream(unsigned port, std::uint32_t word, bool last) override {
    note(stream_out, (std::uint64_t{port} << 33 | word) << 1 | (last ? 1 : 0));
    return granted(stream_out);
  }
  bool read_cascade(std::span<std::byte, 64> value) override {
    note(cascade_in, 0);
    if (!granted(cascade_in)) return false;
    fill_lanes(sources_[cascade_in], value);
    return true;
  }
  bool write_cascade(std::span<const std::byte, 64> value) override {
    std::array<std::uint64_t, 8> words;
    std::memcpy(words.data(), value.data(), sizeof words);
    for (const auto word : words) note(cascade_out, word);
    return granted(cascade_out);
  }
  void event(unsigned number) override { note(events, number); }

  std::vector<std::byte> memory = std::vector<std::byte>(2 * window + north_size);
  std::array<std::uint64_t, kinds> digests{};
  std::array<emu::bank_claims, 2> shared{};

 private:
  bool claim(emu::bank_claims& claimed, std::uint32_t address, std::uint32_t size) const {
    if (claimed.cycle != *cycles) claimed.taken = 0;
    claimed.cycle = *cycles;
    unsigned wanted = 0;
    for (std::uint32_t at = address & ~15u; at < address + size; at += 16)
      wanted |= 1u << (at / 0x4000 % 4 * 2 + at / 16 % 2);
    if ((claimed.taken & wanted) != 0) return false;
    claimed.taken = static_cast<std::uint8_t>(claimed.taken | wanted);
    return true;
  }

  void note(kind which, std::uint64_t what) { digests[which] = random_source(digests[which] ^ what).next(); }

  /// Now and then refuses, and then for some cycles on end.
  bool granted(kind which) {
    auto& wait = waits_[which];
    if (wait == 0 && how_.others != 0 && sources_[which].one_in(how_.others)) wait = 2 + sources_[which].below(40);
    return wait == 0 || --wait == 0;
  }

  bool shares_claims_;
  refusals how_;
  std::uint64_t seed_ = 0;
  std::array<random_source, kinds> sources_{random_source(0), random_source(0), random_source(0), random_source(0),
                                            random_source(0), random_source(0), random_source(0)};
  std::array<std::uint32_t, kinds> waits_{};
  std::array<std::uint32_t, 4096> claims_{};
};

}  // namespace npurt::test
