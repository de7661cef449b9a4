"""Can a network take noise away that it was trained with?

The single layer with Dropout(0.5) on its input, a denoising autoencoder (去噪自编码器), beside
the plain one; 50 epochs of Adam, seed 0.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练：输入加噪声 · train, with noise on the input
# 脚本中要改的两处：旧的文字，新的文字 · Two changes of the script: the old text, the new one.
# 改后为 Dense(…)(Dropout(0.5)(input_img)) · It reads Dense(…)(Dropout(0.5)(input_img)) then.
dropout = [
    ("import Dense\n", "import Dense, Dropout\n"),
    ("sparse)(input_img)", "sparse)(Dropout(0.5)(input_img))"),
]
folders = {
    "plain": lab.run(args, "simple", "--optimizer adam --epochs 50 --seed 0"),
    "denoising": lab.run(args, "simple_dropout", "--optimizer adam", dropout),
}

# %% 去噪 · take noise away: half of the pixels black, and the others twice as bright
kept = np.random.default_rng(0).random(x_test.shape) < 0.5
noisy = (2 * x_test * kept).astype("float32")  # as Dropout(0.5) makes them
visible = np.clip(noisy, 0, 1)  # no pixel is brighter than white
images = {"original": x_test, "half the pixels": visible}
noise_error = np.mean((visible - x_test) ** 2)
rows = [["the noisy digits", "–", f"{noise_error:.5f}"]]
errors = {}
for label, folder in folders.items():
    autoencoder = common.load_model("autoencoder", folder)
    of_clean = autoencoder.predict(x_test, batch_size=1000, verbose=0)
    of_noisy = autoencoder.predict(noisy, batch_size=1000, verbose=0)
    images[label] = of_noisy
    clean_error = np.mean((of_clean - x_test) ** 2)
    errors[label] = np.mean((of_noisy - x_test) ** 2)
    rows.append([label, f"{clean_error:.5f}", f"{errors[label]:.5f}"])

# %% 画图 · draw ten noisy digits, and what the two make of them
common.plot_rows(images, 10, args.pictures / "noise.png")

# %% 结果 · the table, and what came out
head = ["MSE against the clean digits", "input: clean digits", "input: noisy digits"]
sentences = f"""Digits with half of their pixels have an error of {noise_error:.5f}. What the \
plain network makes of them has {errors["plain"]:.5f}, and what the denoising one makes of \
them {errors["denoising"]:.5f}."""
lab.report(args, "noise", head, rows, sentences)
