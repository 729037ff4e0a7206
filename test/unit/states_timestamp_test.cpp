#include "states/timestamp.h"

#include <gtest/gtest.h>

namespace etl::states {
namespace {

using namespace std::chrono_literals;

Time at(int64_t seconds, int64_t nanoseconds = 0) {
  return Time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}

TEST(StatesTimestamp, ReadsUtcAndOffsets) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z"), at(0));
  EXPECT_EQ(parse_timestamp("2016-03-14T01:59:00Z"), at(1457920740));
  EXPECT_EQ(parse_timestamp("2016-03-14T01:59:00+01:00"), at(1457917140));
  EXPECT_EQ(parse_timestamp("2016-03-13T17:29:00-08:30"), at(1457920740));
  EXPECT_EQ(parse_timestamp("2016-03-14T01:59:00-00:00"), at(1457920740));
  EXPECT_EQ(parse_timestamp("1969-12-31T23:59:59.5Z"), at(-1, 500'000'000));
}

TEST(StatesTimestamp, ReadsFractionsToTheNanosecond) {
  EXPECT_EQ(parse_timestamp("2016-03-05T21:29:29.243167252Z"), at(1457213369, 243167252));
  EXPECT_EQ(parse_timestamp("2016-03-05T21:29:29.2Z"), at(1457213369, 200'000'000));
  EXPECT_EQ(parse_timestamp("2016-03-05T21:29:29.000000001Z"), at(1457213369, 1));
}

TEST(StatesTimestamp, RefusesWhatTheProfileDoesNotAllow) {
  for (const char* text : {"",
                           "T",
                           "2016-03-14",
                           "2016-03-14T01:59:00",
                           "2016-03-14t01:59:00Z",
                           "2016-03-14T01:59:00z",
                           "2016-03-14 01:59:00Z",
                           "2016-03-14T01:59Z",
                           "2016-03-14T01:59:00.Z",
                           "2016-03-14T01:59:00,5Z",
                           "2016-03-14T01:59:00.1234567890Z",
                           "2016-03-14T01:59:00+0100",
                           "2016-03-14T01:59:00+01",
                           "2016-03-14T01:59:00+24:00",
                           "2016-03-14T01:59:00+01:60",
                           "2016-03-14T01:59:00Z ",
                           " 2016-03-14T01:59:00Z",
                           "2016-02-30T01:59:00Z",
                           "2015-02-29T00:00:00Z",
                           "2016-13-01T00:00:00Z",
                           "2016-00-01T00:00:00Z",
                           "2016-01-00T00:00:00Z",
                           "2016-03-14T24:00:00Z",
                           "2016-03-14T01:60:00Z",
                           "2016-03-14T01:59:61Z",
                           "2016-03-14T01:59:60Z",
                           "16-03-14T01:59:00Z",
                           "-016-03-14T01:59:00Z",
                           "+2016-03-14T01:59:00Z",
                           "12016-03-14T01:59:00Z",
                           "2016-3-14T01:59:00Z",
                           "2016-03-14T01:59:00Z\n",
                           "２016-03-14T01:59:00Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
    EXPECT_EQ(parse_instant(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_timestamp(std::string("2016-03-14T01:59:00Z\0", 21)), std::nullopt);
  EXPECT_EQ(parse_timestamp("2016-03-14T01:59:00." + std::string(1'000'000, '9') + "Z"), std::nullopt);
}

TEST(StatesTimestamp, TakesALeapSecondForTheSecondAfterIt) {
  EXPECT_EQ(parse_timestamp("2016-12-31T23:59:60Z"), parse_timestamp("2017-01-01T00:00:00Z"));
  EXPECT_EQ(parse_timestamp("2017-01-01T00:59:60+01:00"), parse_timestamp("2017-01-01T00:00:00Z"));
}

TEST(StatesTimestamp, KnowsAllYearsOfTheProfile) {
  EXPECT_EQ(parse_timestamp("9999-12-31T23:59:59Z"), Time::max());
  EXPECT_EQ(parse_timestamp("0000-01-01T00:00:00Z"), Time::min());
  EXPECT_LT(parse_instant("9998-12-31T23:59:59Z"), parse_instant("9999-12-31T23:59:59Z"));
  EXPECT_LT(parse_instant("0000-01-01T00:00:00Z"), parse_instant("0000-01-01T00:00:00.000000001Z"));
}

TEST(StatesTimestamp, WritesMilliseconds) {
  EXPECT_EQ(format_timestamp(at(1457920740)), "2016-03-14T01:59:00.000Z");
  EXPECT_EQ(format_timestamp(at(1457920740, 123'999'999)), "2016-03-14T01:59:00.123Z");
  EXPECT_EQ(format_timestamp(at(-1, 999'999'999)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_timestamp(Time::max()), "2262-04-11T23:47:16.854Z");
  EXPECT_EQ(format_timestamp(Time::min()), "1677-09-21T00:12:43.145Z");
  EXPECT_EQ(format_timestamp(*parse_timestamp("2024-02-29T12:30:45.006Z")), "2024-02-29T12:30:45.006Z");
}

}  // namespace
}  // namespace etl::states
