// A TCP proxy on loopback that counts the bytes of each direction.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace chapterd::bench {

// Takes one connection after another; its own thread.
class CountingProxy {
 public:
  explicit CountingProxy(const std::string& target);
  ~CountingProxy();
  CountingProxy(const CountingProxy&) = delete;
  CountingProxy& operator=(const CountingProxy&) = delete;

  [[nodiscard]] std::string address() const;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(); }

 private:
  struct Inside;
  std::atomic<std::uint64_t> bytes_{0};
  std::unique_ptr<Inside> inside_;
};

}  // namespace chapterd::bench
