// Makes new texts out of old ones.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace etl::states {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // A text of the corpus after a few changes: bytes turned, taken out, doubled; pieces of other texts and of the
  // language put in.
  std::string mutate(const std::vector<std::string>& corpus);

  size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random_); }
  uint64_t bits() { return random_(); }

 private:
  void change(std::string* text, const std::vector<std::string>& corpus);
  std::string piece_of(const std::string& text);
  size_t place_in(const std::string& text) { return below(text.size() + 1); }

  std::mt19937_64 random_;
};

}  // namespace etl::states
