/// Tells sources that were written for the Pythons of their time from those that lack something.
///
/// What they look for was there once, and nothing that could be installed brings it back.
enum Outdated {
    /// What Python's own releases have taken away.
    private static let ofPython = [
        "No module named 'distutils'", "No module named 'imp'", "No module named 'asyncore'",
        "from 'collections' (", "module 'ast' has no attribute",
        "module 'collections' has no attribute", "module 'configparser' has no attribute 'SafeConfigParser'",
        "module 'inspect' has no attribute 'getargspec'", "module 'pkgutil' has no attribute 'ImpImporter'",
        "module 'platform' has no attribute 'linux_distribution'", "Missing parentheses in call to 'print'",
        "longintrepr.h", "too few arguments to function 'PyCode_New'", "too few arguments to function ‘PyCode_New’",
    ]

    /// What setuptools has taken away, whichever Python it runs on.
    private static let ofSetuptools = [
        "use_2to3 is invalid", "No module named 'pkg_resources'", "module 'setuptools' has no attribute 'Feature'",
        "No module named 'setuptools.command.test'",
    ]

    /// Why the sources do not fit, in words with what to do; nil where it is nothing of that kind.
    static func reason(in text: String, python: ToolVersion) -> String? {
        let release = "\(python.major).\(python.minor)"
        if Self.ofPython.contains(where: { text.contains($0) }) || Self.speaksOfLostName(text) {
            return "too old for Python \(release): take a newer release or an older Python (.python-version)"
        }
        if Self.ofSetuptools.contains(where: { text.contains($0) }) {
            return "too old for the setuptools of Python \(release): take a newer release"
        }
        return nil
    }

    /// Whether a compiler misses a part of CPython's own interface.
    private static func speaksOfLostName(_ text: String) -> Bool {
        let lost =
            /(?:has no member named|no member named|implicit declaration of function|undeclared identifier) ['‘`"](?:_?Py[A-Z]\w+|_Py_\w+|Py_\w+|tp_print|ob_\w+|f_\w+|co_\w+|cframe|use_tracing|exc_type|curexc_type|recursion_\w+)['’"]/
        return text.contains(lost) || text.contains(/['‘`"]_?Py[A-Z]\w+['’"] (?:was not declared|undeclared)/)
    }
}
