import Glibc

/// Python packages of the tests, which `bin/test` installs into a folder of their own.
public enum PythonPackages {
    /// The variables by which python3 finds them.
    ///
    /// - Throws: ``TestServerError`` when `LIBRA_TEST_PYTHON_PATH` does not name their folder.
    public static func environment() throws -> [String: String] {
        guard let folder = getenv("LIBRA_TEST_PYTHON_PATH") else {
            throw TestServerError(
                "LIBRA_TEST_PYTHON_PATH has to name a folder with Python's gear, pyzmq and pika, as bin/test does: "
                    + "pip install --target FOLDER gear pyzmq pika")
        }
        return ["PYTHONPATH": String(cString: folder)]
    }
}
