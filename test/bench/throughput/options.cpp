#include "options.h"

#include <cstdlib>
#include <stdexcept>

namespace bench {

namespace {

// The words of the command line, one after the other.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words) : words_(words) {}

  bool at_end() const { return next_ == words_.size(); }

  std::string take() { return words_[next_++]; }

  std::string value_of(const std::string& option) {
    if (at_end()) throw std::invalid_argument(option + " needs a value");
    return take();
  }

  int number_of(const std::string& option, int lowest) {
    const std::string text = value_of(option);
    char* end = nullptr;
    const long number = std::strtol(text.c_str(), &end, 10);
    if (end == text.c_str() || *end != '\0' || number < lowest || number > 1000000)
      throw std::invalid_argument(option + " takes a number from " + std::to_string(lowest) + " to 1000000, not \"" +
                                  text + "\"");
    return static_cast<int>(number);
  }

 private:
  const std::vector<std::string>& words_;
  size_t next_ = 0;
};

}  // namespace

Options read_options(const std::vector<std::string>& words) {
  Options options;
  Arguments arguments(words);
  while (!arguments.at_end()) {
    const std::string option = arguments.take();
    if (option == "--rounds") {
      options.rounds = arguments.number_of(option, 1);
    } else if (option == "--jobs") {
      options.jobs = arguments.number_of(option, 1);
    } else if (option == "--chain") {
      options.chain = arguments.number_of(option, 2);
    } else if (option == "--memory-jobs") {
      options.memory_jobs = arguments.number_of(option, 0);
    } else if (option == "--seconds") {
      options.seconds = arguments.number_of(option, 1);
    } else if (option == "--pgbench") {
      options.pgbench = arguments.value_of(option);
    } else if (option == "--directory") {
      options.directory = arguments.value_of(option);
    } else if (option == "--rival") {
      const std::string name = arguments.value_of(option);
      options.rivals.push_back({name, arguments.value_of(option), ""});
    } else if (option == "--absent") {
      const std::string name = arguments.value_of(option);
      options.rivals.push_back({name, "", arguments.value_of(option)});
    } else {
      throw std::invalid_argument("unknown option " + option +
                                  "; there are --rounds, --jobs, --chain, --memory-jobs, --seconds, --pgbench, "
                                  "--directory, --rival NAME COMMAND, --absent NAME REASON");
    }
  }
  return options;
}

}  // namespace bench
