import Glibc

/// Python packages of the tests, which `bin/test` installs into a folder of their own.
public enum PythonPackages {
    /// The variables by which python3 finds them.
    ///
    /// - Throws: ``TestServerError`` when `LIBRA_TEST_PYTHON_PATH` does not name their folder.
    public static func environment() throws -> [String: String] { ["PYTHONPATH": try folder()] }

    /// The path of a program that a package brought, such as `weed`.
    ///
    /// - Throws: ``TestServerError`` when `LIBRA_TEST_PYTHON_PATH` does not name the packages' folder.
    public static func program(_ name: String) throws -> String { "\(try folder())/bin/\(name)" }

    private static func folder() throws -> String {
        guard let folder = getenv("LIBRA_TEST_PYTHON_PATH") else {
            throw TestServerError(
                "LIBRA_TEST_PYTHON_PATH has to name a folder with the packages of python_packages in bin/test, "
                    + "as bin/test does: pip install --target FOLDER PACKAGES")
        }
        return String(cString: folder)
    }
}
