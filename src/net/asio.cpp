// The one place where Asio's compiled half is built; see convoy_asio in the top CMakeLists.txt.
#include <boost/asio/impl/src.hpp>
