// What the command line asks for.
#pragma once

#include <string>
#include <vector>

namespace bench {

// Something else that runs jobs: a command that prints jobs per second, or why there is none.
struct Rival {
  std::string name;
  std::string command;
  std::string absence;  // empty where there is a command
};

struct Options {
  int rounds = 5;
  int jobs = 10000;
  int chain = 1000;
  int memory_jobs = 100000;  // 0: not measured
  int seconds = 2;           // of pgbench at a time
  std::string pgbench = "pgbench";
  std::string directory = ".";  // for files of its own, on the disk of the server's data
  std::vector<Rival> rivals;
};

// Throws std::invalid_argument with a message for the person who typed.
Options read_options(const std::vector<std::string>& arguments);

}  // namespace bench
