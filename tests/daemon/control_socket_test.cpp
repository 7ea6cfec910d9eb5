// The control socket without a node behind it: who may come, how many, and what is left behind.
#include "daemon/control/control_client.h"
#include "daemon/control/control_server.h"
#include "daemon/control/wire.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace chapterd::testing {
namespace {

// Answers every call with its arguments, on a thread of its own when asked to be slow.
class Echo {
 public:
  explicit Echo(const std::string& path) : server_(loop_, ask()) {
    opened_ = server_.open(path);
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~Echo() {
    stop();
    work_.reset();
    loop_.stop();
    thread_.join();
  }

  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    std::promise<void> ended;
    asio::post(loop_, [&] {
      server_.stop(std::chrono::milliseconds(200), [&ended] { ended.set_value(); });
    });
    ended.get_future().get();
  }

  [[nodiscard]] const Result<void>& opened() const { return opened_; }

 private:
  static ControlServer::Ask ask() {
    return [](Bytes body, const std::function<void(Bytes)>& done) {
      const auto call = control::decode_body(body);
      if (!call) return done(control::encode_answer(forward(call)));
      if ((*call)["verb"] == "never") return;
      done(control::encode_answer((*call)["args"]));
    };
  }

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  ControlServer server_;
  Result<void> opened_;
  bool stopped_ = false;
  std::thread thread_;
};

class ControlSocket : public ::testing::Test {
 protected:
  std::unique_ptr<Caller> connect() { return std::move(*ControlClient::connect(path_)); }

  // A raw connection, for what no client of ours would say.
  int raw() {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }

  static Result<Json> answer_on(int socket) {
    std::uint8_t prefix[4];
    if (::recv(socket, prefix, 4, MSG_WAITALL) != 4) return fail(Errc::failed, "eof", "");
    Bytes body(control::body_bytes(prefix));
    if (::recv(socket, body.data(), body.size(), MSG_WAITALL) != std::ssize(body))
      return fail(Errc::failed, "eof", "");
    return control::decode_answer(body);
  }

  Place place_;
  std::string path_ = place_.path("control.sock");
};

TEST_F(ControlSocket, IsForItsOwnerOnly) {
  const Echo echo(path_);
  ASSERT_TRUE(echo.opened());
  struct stat status = {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ControlSocket, AnswersSeveralCallsOnOneConnection) {
  const Echo echo(path_);
  const auto caller = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(must(caller->call("echo", {{"n", i}}))["n"], i);
}

TEST_F(ControlSocket, CarriesWhatIsNearlyTooLarge) {
  const Echo echo(path_);
  const Json large = {{"text", std::string(control::most_body_bytes - 100, 'x')}};
  EXPECT_EQ(must(connect()->call("echo", large)), large);
  EXPECT_EQ(code_of(connect()->call("echo", {{"text", std::string(9'000'000, 'x')}})),
            "control.too-large");
}

TEST_F(ControlSocket, NobodyListeningIsNoDaemon) {
  const auto nobody = ControlClient::connect(path_);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "daemon.not-running");
  EXPECT_EQ(nobody.error().kind, Errc::unreachable);
  EXPECT_FALSE(ControlClient::connect(std::string(300, 'x')));
}

TEST_F(ControlSocket, TooLongAnAnnouncementIsRefusedUnread) {
  const Echo echo(path_);
  const int socket = raw();
  const std::uint8_t prefix[4] = {0xFF, 0xFF, 0xFF, 0xFF};
  ASSERT_EQ(::send(socket, prefix, 4, 0), 4);
  EXPECT_EQ(code_of(answer_on(socket)), "control.too-large");
  EXPECT_EQ(code_of(answer_on(socket)), "eof");
  ::close(socket);
}

TEST_F(ControlSocket, BytesThatAreNoJsonAreAnsweredAndTheConnectionStays) {
  const Echo echo(path_);
  const int socket = raw();
  const std::uint8_t bad[6] = {0, 0, 0, 2, '{', 0xFF};
  ASSERT_EQ(::send(socket, bad, 6, 0), 6);
  EXPECT_EQ(code_of(answer_on(socket)), "control.malformed");
  ASSERT_EQ(::send(socket, bad, 6, 0), 6);
  EXPECT_EQ(code_of(answer_on(socket)), "control.malformed");
  ::close(socket);
}

TEST_F(ControlSocket, TakesOnlySoManyConnections) {
  const Echo echo(path_);
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::size_t i = 0; i < ControlServer::most_connections; ++i) {
    callers.push_back(connect());
    must(callers.back()->call("echo", Json::object()));
  }
  const auto refused = connect()->call("echo", Json::object());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "control.busy");
  callers.pop_back();
  EXPECT_TRUE(comes_true([&] { return connect()->call("echo", Json::object()).has_value(); }));
}

TEST_F(ControlSocket, ReplacesWhatADeadDaemonLeft) {
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  const Echo echo(path_);
  ASSERT_TRUE(echo.opened()) << echo.opened().error().what;
  must(connect()->call("echo", Json::object()));
}

TEST_F(ControlSocket, LeavesASocketInUseAndOtherFilesAlone) {
  const Echo echo(path_);
  const Echo second(path_);
  ASSERT_FALSE(second.opened());
  EXPECT_EQ(second.opened().error().code, "control.in-use");
  std::ofstream(place_.path("file")) << "precious";
  const Echo third(place_.path("file"));
  EXPECT_EQ(third.opened().error().code, "control.not-a-socket");
  EXPECT_TRUE(std::filesystem::exists(place_.path("file")));
  const Echo fourth(place_.path("no/folder"));
  EXPECT_EQ(fourth.opened().error().code, "control.cannot-listen");
  must(connect()->call("echo", Json::object()));
}

TEST_F(ControlSocket, StopRemovesTheSocketAndCutsWhoNeverGetsAnAnswer) {
  Echo echo(path_);
  const auto idle = connect();
  must(idle->call("echo", Json::object()));
  const auto waiting = connect();
  auto answer = std::async(std::launch::async, [&] { return waiting->call("never", Json()); });
  echo.stop();
  EXPECT_EQ(code_of(answer.get()), "daemon.gone");
  EXPECT_EQ(code_of(idle->call("echo", Json::object())), "daemon.gone");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace chapterd::testing
