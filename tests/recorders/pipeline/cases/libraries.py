"""Libraries. The SDK has no class for wheels: programs that need one name it as an egg."""
from .case import jar, notebook, pipeline, script

MAVEN = "org.jsoup:jsoup:1.7.2"

CASES = [
    pipeline("pypi-library", notebook(pypi_libraries=[{"package": "scikit-learn==1.0"}])),
    pipeline("pypi-library-from-an-index", notebook(pypi_libraries=[{"package": "simplejson", "repo": "https://pypi.example.test/simple"}])),
    pipeline("pypi-libraries", notebook(pypi_libraries=[
        {"package": "b>=1,<2"}, {"package": "a[extra]==1.0 ; python_version > '3.8'", "repo": "http://a.test"}, {"package": "c", "repo": ""},
        {"package": "d", "repo": None}])),
    pipeline("maven-library", notebook(maven_libraries=[{"coordinates": MAVEN}])),
    pipeline("maven-library-from-a-repository", notebook(maven_libraries=[{"coordinates": MAVEN, "repo": "https://maven.example.test"}])),
    pipeline("maven-library-with-exclusions", notebook(maven_libraries=[{"coordinates": MAVEN, "exclusions": ["slf4j:slf4j", "*:hadoop-client"]}])),
    pipeline("maven-libraries", notebook(maven_libraries=[
        {"coordinates": MAVEN, "repo": "https://maven.example.test", "exclusions": ["a:b", "c:d"]},
        {"coordinates": "x:y:1", "repo": "", "exclusions": []}, {"coordinates": "z:z:2", "exclusions": ["e:f"]}])),
    pipeline("rcran-library", notebook(rcran_libraries=[{"package": "ada"}])),
    pipeline("rcran-libraries", notebook(rcran_libraries=[{"package": "ada", "repo": "https://cran.example.test"}, {"package": "zoo"}])),
    pipeline("egg-libraries", notebook(egg_libraries=["dbfs:/b.egg", "dbfs:/a.egg"])),
    pipeline("jar-libraries", jar(jar_libraries=["dbfs:/main.jar", "dbfs:/more/größe 1.jar"])),
    pipeline("wheel-as-an-egg-library", script(egg_libraries=["dbfs:/wheels/wine-1.0-py3-none-any.whl"])),
    pipeline("libraries-of-every-kind", notebook(
        rcran_libraries=[{"package": "ada"}], maven_libraries=[{"coordinates": MAVEN}], jar_libraries=["dbfs:/a.jar"],
        pypi_libraries=[{"package": "numpy"}], egg_libraries=["dbfs:/a.egg"])),
    pipeline("libraries-empty", notebook(rcran_libraries=[], maven_libraries=[], jar_libraries=[], pypi_libraries=[], egg_libraries=[])),
]
