#include "table.h"

#include <cstdio>

namespace bench {

namespace {

constexpr int kWhat = 58;

void print_numbers(const std::string& what, const Sample& sample) {
  std::printf("%-*s %11s %8s %8s", kWhat, what.c_str(), grouped(sample.median()).c_str(),
              grouped(sample.lowest()).c_str(), grouped(sample.highest()).c_str());
}

}  // namespace

std::string grouped(double number) {
  if (number < 10) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", number);
    return text;
  }
  std::string text = std::to_string(static_cast<long long>(number + 0.5));
  for (int place = static_cast<int>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<size_t>(place), 1, ',');
  return text;
}

void print_head() {
  std::printf("%-*s %11s %8s %8s  %8s  %s\n", kWhat, "what", "per second", "lowest", "highest", "ratio", "from - to");
}

void print_row(const std::string& what, const Sample& sample) {
  print_numbers(what, sample);
  std::printf("\n");
}

void print_row(const std::string& what, const Sample& sample, const Sample& ratio) {
  print_numbers(what, sample);
  std::printf("  %8.3g  %.2g - %.2g\n", ratio.median(), ratio.lowest(), ratio.highest());
}

void print_absence(const std::string& what, const std::string& reason) {
  std::printf("%-*s not measured: %s\n", kWhat, what.c_str(), reason.c_str());
}

}  // namespace bench
