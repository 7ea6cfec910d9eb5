// The one place that includes Asio, with the two habits of this house: completion tokens that do
// not throw, and the reminder below.
//
// GCC 12 destroys some temporaries of an expression that contains co_await twice or too early. So a
// line with co_await holds only names, literals, moves and calls (docs/style.md, "Coroutines").
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace chapterd::asio {

using namespace boost::asio;  // NOLINT: this is the alias of the library inside the project

using boost::asio::ip::tcp;
using boost::system::error_code;

// auto [error, …] = co_await x.async_y(…, as_result);
inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace chapterd::asio
