// The one place where Beast's compiled half is built; see convoy_asio in the top CMakeLists.txt.
#include <boost/beast/src.hpp>
