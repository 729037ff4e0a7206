// The table that people read.
#pragma once

#include <string>

#include "sample.h"

namespace bench {

// With commas between thousands; one decimal below ten.
std::string grouped(double number);

void print_head();
void print_row(const std::string& what, const Sample& sample);
void print_row(const std::string& what, const Sample& sample, const Sample& ratio);
void print_absence(const std::string& what, const std::string& reason);

}  // namespace bench
