package universality.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import universality.data.OutputFolder;

/**
 * A whole study of two tiny models, every stage in one JVM, in a folder that is thrown away. The bootstrap runs it once after a
 * build: it unpacks the engine's libraries before several tasks would at once, and loads the classes that an archive of
 * classes (AppCDS) should hold.
 */
@Command(name = "warm-up", hidden = true, description = "runs every stage once on almost nothing")
final class WarmUpCommand implements Callable<Integer> {
    private static final String CONFIG =
            """
            {"model": {"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 8, "n_positions": 16},
             "training": {"rows": 4, "learning_rate": 1e-3, "final_fraction": 0.1, "warmup": 1, "beta1": 0.9, "beta2": 0.95,
             "adam_epsilon": 1e-8, "weight_decay": 0.1, "clip": 1.0, "initial_deviation": 0.02}}
            """;
    private static final List<Integer> STEPS = List.of(0, 1);
    private static final List<Integer> SEEDS = List.of(1, 2);

    private Path folder;
    private int status;

    /** 0, or the status of the last stage that failed; the others run all the same. */
    @Override
    public Integer call() throws IOException {
        folder = Files.createTempDirectory("universality");
        try {
            Files.writeString(folder.resolve("model.json"), CONFIG);
            models();
            groups();
            run("persist --neurons identify/w-t0 identify/w-t1 --self correlate/w-s1-self --out persist/w");
            run(
                    "ablate --checkpoint train/w-s1/w-s1-t1 --tokens tokenize/tokens/heldout --neurons identify/w-t1/w-s1-t1.csv"
                            + " --activations activate/w-s1-t1 --descriptions describe/w-s1-t1 --draws 2 --threads 1 --device cpu"
                            + " --out ablate/w-s1-t1");
            run("report --results . --out page");
        } finally {
            OutputFolder.deleteTree(folder);
        }
        return status;
    }

    private void models() {
        run("tokenize --generate 1 --tokenizer bpe:300 --context 16 --tokens 6000"
                + " --split train=40%,analysis=30%,heldout=20%,examples=10% --out tokenize/tokens");
        for (int seed : SEEDS) {
            run("train --tokens tokenize/tokens/train --config model.json --family w --seed " + seed
                    + " --steps 0,1 --threads 1 --device cpu --out train/w-s" + seed);
            for (int step : STEPS) {
                String id = "w-s" + seed + "-t" + step;
                String checkpoint = " --checkpoint train/w-s" + seed + "/" + id;
                run("activate" + checkpoint
                        + " --tokens tokenize/tokens/analysis --threads 1 --device cpu --out activate/" + id);
                run("describe" + checkpoint + " --activations activate/" + id + " --out describe/" + id);
            }
        }
    }

    private void groups() {
        for (int step : STEPS) {
            String group = "w-t" + step;
            String both = "--activations activate/w-s1-t" + step + " activate/w-s2-t" + step;
            String correlate = "correlate " + both + " --baseline-draws 1 --threads 1 --device cpu";
            run(correlate + " --out correlate/" + group);
            run(correlate + " --control rotated --group " + group + "-rotated --out correlate/" + group + "-rotated");
            run("identify --correlations correlate/" + group + " --controls correlate/" + group + "-rotated " + both
                    + " --descriptions describe/w-s1-t" + step + " describe/w-s2-t" + step + " --out identify/"
                    + group);
        }
        run(
                "correlate --activations activate/w-s1-t0 activate/w-s1-t1 --diagonal --group w-s1-self --threads 1 --device cpu"
                        + " --out correlate/w-s1-self");
    }

    /** Runs a command line in which words with a slash, and the names of files, are below the folder. */
    private void run(String line) {
        String[] words = line.split(" ");
        for (int i = 1; i < words.length; i++) {
            boolean path =
                    words[i].contains("/") || words[i].equals("model.json") || words[i - 1].matches("--(out|results)");
            words[i] = path ? folder.resolve(words[i]).toString() : words[i];
        }
        int result = Main.run(words);
        status = result == 0 ? status : result;
    }
}
