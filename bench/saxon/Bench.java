import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import javax.xml.transform.*;
import javax.xml.transform.stream.*;

/**
 * Times Saxon on one Schematron file and one message, warmed: compiled once,
 * then judged again and again from bytes to findings.
 *
 *   java -cp /usr/share/java/Saxon-HE.jar bench/saxon/Bench.java bench/saxon/schematron.xsl rules.sch message.xml
 *
 * With --verdicts instead of timing it prints what fires ("id role", a line
 * each), for every pair of the files given: rules.sch message.xml [rules.sch message.xml …].
 */
public class Bench {
    static final Pattern FINDING = Pattern.compile("<svrl:(?:failed-assert|successful-report) id=\"([^\"]*)\" role=\"([^\"]*)\"");

    static Templates compile(TransformerFactory f, File xsl, File sch) throws Exception {
        StringWriter made = new StringWriter();
        f.newTransformer(new StreamSource(xsl)).transform(new StreamSource(sch), new StreamResult(made));
        return f.newTemplates(new StreamSource(new StringReader(made.toString())));
    }

    static String judge(Templates t, byte[] message) throws Exception {
        StringWriter out = new StringWriter();
        t.newTransformer().transform(new StreamSource(new ByteArrayInputStream(message)), new StreamResult(out));
        return out.toString();
    }

    public static void main(String[] args) throws Exception {
        TransformerFactory f = new net.sf.saxon.TransformerFactoryImpl();
        if (args[0].equals("--verdicts")) {
            File xsl = new File(args[1]);
            Map<String, Templates> compiled = new HashMap<>();
            for (int i = 2; i + 1 < args.length; i += 2) {
                Templates t = compiled.get(args[i]);
                if (t == null) compiled.put(args[i], t = compile(f, xsl, new File(args[i])));
                System.out.println("= " + args[i] + " " + args[i + 1]);
                try {
                    Matcher m = FINDING.matcher(judge(t, Files.readAllBytes(Path.of(args[i + 1]))));
                    while (m.find()) System.out.println(m.group(1) + " " + m.group(2));
                } catch (TransformerException e) {
                    System.out.println("! " + e.getMessage());
                }
            }
            return;
        }
        long start = System.nanoTime();
        Templates t = compile(f, new File(args[0]), new File(args[1]));
        byte[] message = Files.readAllBytes(Path.of(args[2]));
        judge(t, message);
        System.out.printf("first judgement, compilation included: %.0f ms%n", (System.nanoTime() - start) / 1e6);
        for (int i = 0; i < 5000; i++) judge(t, message); // warm up
        double best = Double.MAX_VALUE; // of 20 rounds: the machine may be busy
        for (int round = 0; round < 20; round++) {
            start = System.nanoTime();
            int n = 500;
            for (int i = 0; i < n; i++) judge(t, message);
            best = Math.min(best, (System.nanoTime() - start) / 1e6 / n);
        }
        System.out.printf("warmed, best of 20 rounds: %.3f ms per message%n", best);
    }
}
