// MD5 after RFC 1321, the others after FIPS 180-4.
#include "states/digest.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace etl::states {
namespace {

template <typename Word>
Word load_big(const unsigned char* from) {
  Word word = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) word = static_cast<Word>(word << 8 | from[i]);
  return word;
}

template <typename Word>
void append_big(std::string& bytes, Word word) {
  for (size_t i = sizeof(Word); i-- > 0;) bytes += static_cast<char>(word >> (8 * i));
}

// `data` with a one bit, zeros and its length in bits behind it, up to whole blocks.
std::string padded(std::string_view data, size_t block, size_t length_field, bool big_endian) {
  std::string bytes(data);
  bytes += '\x80';
  while (bytes.size() % block != block - length_field) bytes += '\0';
  bytes.append(length_field - 8, '\0');
  const uint64_t bits = uint64_t{data.size()} * 8;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(bits >> (big_endian ? 56 - 8 * i : 8 * i));
  return bytes;
}

std::string md5(std::string_view data) {
  static constexpr std::array<std::array<int, 4>, 4> kShifts = {
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  std::array<uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::string bytes = padded(data, 64, 8, false);
  for (size_t block = 0; block < bytes.size(); block += 64) {
    std::array<uint32_t, 16> words;
    for (size_t i = 0; i < 64; i += 4) {
      const uint32_t big = load_big<uint32_t>(reinterpret_cast<const unsigned char*>(bytes.data()) + block + i);
      words[i / 4] = __builtin_bswap32(big);
    }
    auto [a, b, c, d] = state;
    for (uint32_t i = 0; i < 64; ++i) {
      const uint32_t round = i / 16;
      const uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                             : round == 1 ? (d & b) | (~d & c)
                             : round == 2 ? b ^ c ^ d
                                          : c ^ (b | ~d);
      const uint32_t word = words[(round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i) % 16];
      const auto constant = static_cast<uint32_t>(std::floor(std::abs(std::sin(i + 1.0)) * 0x1p32));
      const uint32_t turned = b + std::rotl(a + mixed + constant + word, kShifts[round][i % 4]);
      a = d, d = c, c = b, b = turned;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  }
  std::string result;
  for (const uint32_t word : state) append_big(result, __builtin_bswap32(word));
  return result;
}

std::string sha1(std::string_view data) {
  std::array<uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const std::string bytes = padded(data, 64, 8, true);
  for (size_t block = 0; block < bytes.size(); block += 64) {
    std::array<uint32_t, 80> words;
    for (size_t i = 0; i < 16; ++i) {
      words[i] = load_big<uint32_t>(reinterpret_cast<const unsigned char*>(bytes.data()) + block + 4 * i);
    }
    for (size_t i = 16; i < 80; ++i)
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    auto [a, b, c, d, e] = state;
    for (size_t i = 0; i < 80; ++i) {
      const uint32_t mixed = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
      constexpr std::array<uint32_t, 4> kConstants = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
      const uint32_t turned = std::rotl(a, 5) + mixed + e + kConstants[i / 20] + words[i];
      e = d, d = c, c = std::rotl(b, 30), b = a, a = turned;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
  }
  std::string result;
  for (const uint32_t word : state) append_big(result, word);
  return result;
}

// The first 64 bits after the point of the square roots, and of the cube roots, of the first primes: what all functions
// of the family take their numbers from. SHA-256 has the first 32 of them.
constexpr std::array<uint64_t, 80> kCubeRoots = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};
constexpr std::array<uint64_t, 8> kSquareRoots = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr std::array<uint64_t, 8> kSha384Start = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
                                                  0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
                                                  0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};

// Turns of the words in the sums that SHA-2 mixes with: of a, of e, and of the message (there the third one shifts).
struct Turns {
  int a[3], e[3], early[3], late[3];
};

template <typename Word>
std::string sha2(std::string_view data, std::array<Word, 8> state, const Turns& turns, size_t rounds,
                 size_t words_kept) {
  constexpr size_t kBlock = 16 * sizeof(Word);
  const auto sum = [](Word x, const int(&by)[3]) {
    return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ std::rotr(x, by[2]);
  };
  const auto mix = [](Word x, const int(&by)[3]) { return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ x >> by[2]; };
  const std::string bytes = padded(data, kBlock, 2 * sizeof(Word), true);
  for (size_t block = 0; block < bytes.size(); block += kBlock) {
    std::array<Word, 80> words;
    for (size_t i = 0; i < 16; ++i) {
      words[i] = load_big<Word>(reinterpret_cast<const unsigned char*>(bytes.data()) + block + i * sizeof(Word));
    }
    for (size_t i = 16; i < rounds; ++i) {
      words[i] = mix(words[i - 2], turns.late) + words[i - 7] + mix(words[i - 15], turns.early) + words[i - 16];
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t i = 0; i < rounds; ++i) {
      const Word constant = static_cast<Word>(kCubeRoots[i] >> (64 - 8 * sizeof(Word)));
      const Word first = h + sum(e, turns.e) + ((e & f) ^ (~e & g)) + constant + words[i];
      const Word second = sum(a, turns.a) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    const std::array<Word, 8> turned = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += turned[i];
  }
  std::string result;
  for (size_t i = 0; i < words_kept; ++i) append_big(result, state[i]);
  return result;
}

constexpr Turns kTurns32 = {{2, 13, 22}, {6, 11, 25}, {7, 18, 3}, {17, 19, 10}};
constexpr Turns kTurns64 = {{28, 34, 39}, {14, 18, 41}, {1, 8, 7}, {19, 61, 6}};

std::array<uint32_t, 8> upper_halves(const std::array<uint64_t, 8>& words) {
  std::array<uint32_t, 8> halves;
  for (size_t i = 0; i < 8; ++i) halves[i] = static_cast<uint32_t>(words[i] >> 32);
  return halves;
}

std::string to_hex(std::string_view bytes) {
  std::string digits;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

}  // namespace

std::optional<std::string> digest(std::string_view algorithm, std::string_view data) {
  if (algorithm == "MD5") return to_hex(md5(data));
  if (algorithm == "SHA-1") return to_hex(sha1(data));
  if (algorithm == "SHA-256") return to_hex(sha2<uint32_t>(data, upper_halves(kSquareRoots), kTurns32, 64, 8));
  if (algorithm == "SHA-384") return to_hex(sha2<uint64_t>(data, kSha384Start, kTurns64, 80, 6));
  if (algorithm == "SHA-512") return to_hex(sha2<uint64_t>(data, kSquareRoots, kTurns64, 80, 8));
  return std::nullopt;
}

}  // namespace etl::states
